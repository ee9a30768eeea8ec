//! `#[helix_message]` and `#[derive(EventType)]`.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, GenericParam, Ident, LitStr, Path, Token, Type, parse_quote};

use super::{attributes, default_runtime, module, options};
use crate::errors::Errors;
use crate::model::{Event, Field, Fields, Message, MessageShape, Variant};
use crate::names;

/// Reads the attribute and the type.
pub fn message(args: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Message> {
    let mut runtime = default_runtime();
    options::read(args, &["crate"], errors, |name, input| {
        runtime = module::runtime(name, input)?;
        Ok(())
    });
    if runtime.segments.first().is_some_and(|first| first.ident == "$crate") {
        errors.at(&runtime, "a message's `crate` cannot begin with `$crate`, for serde takes the path as text: begin with `::` and the crate's name");
        runtime = default_runtime();
    }
    let mut input: DeriveInput = errors.ok(syn::parse2(item))?;
    let mut travels = Travels { owner: input.ident.clone(), sound: true };
    travels.refuse_lifetimes(&input, errors);
    travels.refuse_serde(&mut input.attrs, errors);
    let shape = match &mut input.data {
        Data::Struct(data) => MessageShape::Struct(travels.fields(&mut data.fields, errors)),
        Data::Enum(data) => MessageShape::Enum(
            data.variants
                .iter_mut()
                .map(|variant| {
                    travels.refuse_serde(&mut variant.attrs, errors);
                    Variant {
                        cfgs: attributes::cfgs(&variant.attrs),
                        ident: variant.ident.clone(),
                        fields: travels.fields(&mut variant.fields, errors),
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
    Some(Message { item: input, runtime, cfgs, shape, sound: travels.sound })
}

/// What keeps a type from travelling as it stands.
struct Travels {
    owner: Ident,
    /// Whether codec and schema can be derived all the same.
    sound: bool,
}

const OWNED: &str = "a message owns what it holds: use `String` or `Vec` instead of a reference";

impl Travels {
    fn refuse_lifetimes(&mut self, input: &DeriveInput, errors: &mut Errors) {
        for param in &input.generics.params {
            if let GenericParam::Lifetime(lifetime) = param {
                errors.at(lifetime, OWNED);
                self.sound = false;
            }
        }
    }

    /// The wire is the declaration: nothing of serde's may change it.
    fn refuse_serde(&mut self, attrs: &mut Vec<Attribute>, errors: &mut Errors) {
        for helper in attributes::take(attrs, &["serde"]) {
            errors.at(helper.meta, "the declaration alone says what travels: remove this serde attribute");
        }
        for attr in attrs.iter_mut().filter(|attr| attr.path().is_ident("derive")) {
            let Ok(mut derives) = attr.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated) else {
                continue;
            };
            let ours = |path: &Path| {
                path.segments
                    .last()
                    .is_some_and(|last| ["Serialize", "Deserialize", "Schema"].iter().any(|name| last.ident == name))
            };
            for path in derives.iter().filter(|path| ours(path)) {
                errors.at(path, "`#[helix_message]` derives this itself: remove it here");
            }
            if derives.iter().any(ours) {
                derives = derives.into_iter().filter(|path| !ours(path)).collect();
                attr.meta = parse_quote!(derive(#derives));
            }
        }
    }

    fn fields(&mut self, fields: &mut syn::Fields, errors: &mut Errors) -> Fields {
        let list = fields.iter_mut().map(|field| self.field(field, errors)).collect();
        match fields {
            syn::Fields::Unit => Fields::Unit,
            syn::Fields::Unnamed(_) => Fields::Tuple(list),
            syn::Fields::Named(_) => Fields::Named(list),
        }
    }

    fn field(&mut self, field: &mut syn::Field, errors: &mut Errors) -> Field {
        self.refuse_serde(&mut field.attrs, errors);
        let owner = &self.owner;
        if let Some(itself) = itself(field.ty.to_token_stream(), owner) {
            errors.at(
                &itself,
                format!(
                    "`{owner}` contains itself: a schema has an end; send a list of nodes that name each other by index"
                ),
            );
            self.sound = false;
        }
        if let Type::Reference(reference) = &field.ty {
            errors.at(reference, OWNED);
            self.sound = false;
        }
        Field { cfgs: attributes::cfgs(&field.attrs), ident: field.ident.clone(), ty: field.ty.clone() }
    }
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

#[derive(Default)]
struct EventOptions {
    topic: Option<LitStr>,
    name: Option<LitStr>,
    runtime: Option<Path>,
}

const EVENT_USAGE: &str = "write `#[event(topic = \"..\", name = \"..\")]`, or leave it out";

/// Reads a type under `#[derive(EventType)]`.
pub fn event(item: TokenStream, errors: &mut Errors) -> Option<Event> {
    let input: DeriveInput = errors.ok(syn::parse2(item))?;
    let mut options = EventOptions::default();
    let mut found = input.attrs.iter().filter(|attr| attr.path().is_ident("event"));
    if let Some(attr) = found.next() {
        match errors.ok(attributes::arguments(&attr.meta, EVENT_USAGE)) {
            Some(Some(tokens)) => options::read(tokens, &["topic", "name", "crate"], errors, |name, input| {
                match name.to_string().as_str() {
                    "topic" => options.topic = Some(options::name(name, input)?),
                    "name" => options.name = Some(options::name(name, input)?),
                    _ => options.runtime = Some(module::runtime(name, input)?),
                }
                Ok(())
            }),
            Some(None) => errors.at(&attr.meta, format!("empty `#[event]`: {EVENT_USAGE}")),
            None => {}
        }
    }
    for again in found {
        errors.at(&again.meta, "an event has one `#[event(..)]`: keep one");
    }
    if !input.generics.params.is_empty() {
        errors.at(&input.generics, "an event cannot be generic: its name stands for one type");
    }
    let name = options.name.map_or_else(|| names::kebab_case(&input.ident), |name| name.value());
    if !names::is_name(&name) {
        errors.at(&input.ident, format!("bad name {name:?}: {}; give one with `#[event(name = \"..\")]`", names::RULE));
    }
    let topic = options.topic.map_or_else(|| name.clone(), |topic| topic.value());
    Some(Event {
        runtime: options.runtime.unwrap_or_else(default_runtime),
        ident: input.ident,
        generics: input.generics,
        topic,
        name,
    })
}
