//! `#[helix_message]` and `#[derive(EventType)]`.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Data, DeriveInput, GenericParam, Ident, Path};

use super::{attributes, default_runtime, module, options};
use crate::errors::Errors;
use crate::model::{Event, Field, Fields, Message, MessageShape, Variant};
use crate::names;

/// Reads the attribute and the type; gives the type as it was, and the model.
pub fn message(args: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<(TokenStream, Message)> {
    let mut runtime = default_runtime();
    options::read(args, &["crate"], errors, |name, input| {
        runtime = module::runtime(name, input)?;
        Ok(())
    });
    if runtime.segments.first().is_some_and(|first| first.ident == "$crate") {
        errors.at(&runtime, "a message's `crate` cannot begin with `$crate`, for serde takes the path as text: begin with `::` and the crate's name");
        runtime = default_runtime();
    }
    let input: DeriveInput = errors.ok(syn::parse2(item.clone()))?;
    refuse_lifetimes(&input, errors);
    refuse_serde(&input.attrs, errors);
    let shape = match &input.data {
        Data::Struct(data) => MessageShape::Struct(fields(&data.fields, &input.ident, errors)),
        Data::Enum(data) => MessageShape::Enum(
            data.variants
                .iter()
                .map(|variant| {
                    refuse_serde(&variant.attrs, errors);
                    Variant {
                        cfgs: attributes::cfgs(&variant.attrs),
                        ident: variant.ident.clone(),
                        fields: fields(&variant.fields, &input.ident, errors),
                    }
                })
                .collect(),
        ),
        Data::Union(data) => {
            errors
                .at(data.union_token, "a union cannot travel: its bytes do not say which field they are; use an enum");
            return None;
        }
    };
    let cfgs = attributes::cfgs(&input.attrs);
    Some((item, Message { runtime, ident: input.ident, generics: input.generics, cfgs, shape }))
}

fn refuse_lifetimes(input: &DeriveInput, errors: &mut Errors) {
    for param in &input.generics.params {
        if let GenericParam::Lifetime(lifetime) = param {
            errors.at(lifetime, "a message owns what it holds: use `String` or `Vec` instead of a reference");
        }
    }
}

/// The wire is the declaration: nothing of serde's may change it.
fn refuse_serde(attrs: &[Attribute], errors: &mut Errors) {
    for attr in attrs {
        if attr.path().is_ident("serde") {
            errors.at(attr, "`#[helix_message]` refuses serde attributes: the declaration alone says what travels");
        }
        if attr.path().is_ident("derive") {
            for token in idents(attr.meta.to_token_stream()) {
                if token == "Serialize" || token == "Deserialize" || token == "Schema" {
                    errors.at(&token, format!("`#[helix_message]` derives `{token}` itself: remove it here"));
                }
            }
        }
    }
}

fn idents(tokens: TokenStream) -> Vec<Ident> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(ident) => vec![ident],
            TokenTree::Group(group) => idents(group.stream()),
            _ => Vec::new(),
        })
        .collect()
}

/// Where a type names its owner: by its own name, not by that of another's at the end of a path.
fn itself(tokens: TokenStream, owner: &Ident) -> Option<Ident> {
    let mut in_path = false;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) if !in_path && (ident == *owner || ident == "Self") => return Some(ident),
            TokenTree::Group(group) => {
                if let Some(found) = itself(group.stream(), owner) {
                    return Some(found);
                }
                in_path = false;
            }
            token => in_path = matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':'),
        }
    }
    None
}

fn fields(fields: &syn::Fields, owner: &Ident, errors: &mut Errors) -> Fields {
    let list = fields
        .iter()
        .map(|field| {
            refuse_serde(&field.attrs, errors);
            if let Some(itself) = itself(field.ty.to_token_stream(), owner) {
                errors.at(
                    &itself,
                    format!("`{owner}` contains itself: a schema has an end; send a list of nodes that name each other by index"),
                );
            }
            Field { cfgs: attributes::cfgs(&field.attrs), ident: field.ident.clone(), ty: field.ty.clone() }
        })
        .collect();
    match fields {
        syn::Fields::Unit => Fields::Unit,
        syn::Fields::Unnamed(_) => Fields::Tuple(list),
        syn::Fields::Named(_) => Fields::Named(list),
    }
}

#[derive(darling::FromMeta, Default)]
#[darling(default)]
struct EventOptions {
    topic: Option<syn::LitStr>,
    name: Option<syn::LitStr>,
    #[darling(rename = "crate")]
    runtime: Option<Path>,
}

/// Reads a type under `#[derive(EventType)]`.
pub fn event(item: TokenStream, errors: &mut Errors) -> Option<Event> {
    let input: DeriveInput = errors.ok(syn::parse2(item))?;
    let mut options = EventOptions::default();
    let mut found = input.attrs.iter().filter(|attr| attr.path().is_ident("event"));
    if let Some(attr) = found.next() {
        match errors.ok(attributes::arguments(&attr.meta)) {
            Some(Some(tokens)) if !tokens.is_empty() => {
                let read = <EventOptions as darling::FromMeta>::from_meta(&attr.meta);
                options = errors.ok_darling(read).unwrap_or_default();
            }
            Some(_) => errors
                .at(&attr.meta, "empty `#[event]`: write `#[event(topic = \"..\", name = \"..\")]`, or leave it out"),
            None => {}
        }
    }
    for again in found {
        errors.at(&again.meta, "an event has one `#[event(..)]`: keep one");
    }
    if !input.generics.params.is_empty() {
        errors.at(&input.generics, "an event cannot be generic: its name stands for one type");
    }
    let mut text = |name: Option<syn::LitStr>, otherwise: &str| match name {
        Some(name) => errors.ok(options::checked_name(name)).map_or_else(|| otherwise.to_owned(), |name| name.value()),
        None => otherwise.to_owned(),
    };
    let name = text(options.name, &names::kebab_case(&input.ident));
    let topic = text(options.topic, &name);
    Some(Event {
        runtime: options.runtime.unwrap_or_else(default_runtime),
        ident: input.ident,
        generics: input.generics,
        topic,
        name,
    })
}
