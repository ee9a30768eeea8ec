//! A message's codec and schema; an event's names.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Generics, Ident, LitStr, Path, Token, Type, WherePredicate, parse_quote_spanned,
};

use super::{at, runtime_at, travels};
use crate::model::{Event, Field, Fields, Message, MessageShape, Variant};

/// Expands a message: the item under its derives, and its schema.
pub fn message(model: &Message) -> TokenStream {
    let Message { item, runtime, cfgs, shape, sound } = model;
    if !sound {
        return item.to_token_stream();
    }
    let DeriveInput { ident, generics, .. } = item;
    let span = at(ident.span());
    let rt = &runtime_at(runtime, span);
    let (item, bounds) = with_bounds(runtime, item);
    let serde = text(&quote!(#rt::glue::serde), span);
    let (_, ty_generics, where_clause) = generics.split_for_impl();
    let params = bounded(rt, generics, span);
    let where_clause = match (where_clause, bounds.as_slice()) {
        (None, []) => TokenStream::new(),
        (clause, bounds) => {
            let predicates = clause.iter().flat_map(|clause| &clause.predicates);
            quote!(where #(#predicates,)* #(#bounds),*)
        }
    };
    let ty = match shape {
        MessageShape::Struct(fields) => struct_type(rt, fields, span),
        MessageShape::Enum(variants) => {
            let variants = variants.iter().map(|variant| self::variant(rt, variant));
            quote_spanned!(span=> #rt::glue::DataModelType::Enum(&[#(#variants),*]))
        }
    };
    let name = ident.unraw().to_string();
    quote_spanned! {span=>
        #[::core::prelude::v1::derive(#rt::glue::serde::Serialize, #rt::glue::serde::Deserialize)]
        #[serde(crate = #serde)]
        #item

        #(#cfgs)*
        #[automatically_derived]
        #[allow(deprecated)]
        impl #params #rt::glue::Schema for #ident #ty_generics #where_clause {
            const SCHEMA: &'static #rt::glue::NamedType = &#rt::glue::NamedType { name: #name, ty: &#ty };
        }

        #(#cfgs)*
        #[automatically_derived]
        #[allow(deprecated)]
        impl #params #rt::Message for #ident #ty_generics #where_clause {}
    }
}

/// The item with the bound on each field that it travels, for the codec's impls, and these bounds for the others.
fn with_bounds(runtime: &Path, item: &DeriveInput) -> (DeriveInput, Vec<WherePredicate>) {
    let (mut item, mut bounds) = (item.clone(), Vec::new());
    // What a `cfg` takes away, and what only a macro's own tokens can name, goes without.
    let always =
        |attrs: &[Attribute]| attrs.iter().all(|a| !a.path().is_ident("cfg") && !a.path().is_ident("cfg_attr"));
    let fields: Vec<&mut syn::Fields> = match &mut item.data {
        Data::Struct(data) => vec![&mut data.fields],
        Data::Enum(data) => {
            let variants = data.variants.iter_mut().filter(|variant| always(&variant.attrs));
            variants.map(|variant| &mut variant.fields).collect()
        }
        Data::Union(_) => Vec::new(),
    };
    for field in fields.into_iter().flatten() {
        if !always(&field.attrs) || field.ty.to_token_stream().to_string().contains('$') {
            continue;
        }
        let wanted = travels(runtime, &field.ty);
        // A parameter alone is under its bound already; serde wants to hear of it only where it hears of others.
        let others: Vec<_> = wanted.iter().filter(|bound| !bounds_parameter(bound, &item.generics)).collect();
        if let Some(first) = others.first() {
            let span = super::span_of(first);
            field.attrs.push(bound_attribute(&wanted, span));
            // Read back as serde reads it, so that both impls point to one place and the compiler tells it once.
            let read =
                text(&quote!(#(#others),*), span).parse_with(Punctuated::<WherePredicate, Token![,]>::parse_terminated);
            for bound in read.into_iter().flatten() {
                if !bounds.contains(&bound) {
                    bounds.push(bound);
                }
            }
        }
    }
    (item, bounds)
}

/// Whether a bound is on one of these parameters itself.
fn bounds_parameter(bound: &TokenStream, generics: &Generics) -> bool {
    let Ok(WherePredicate::Type(bound)) = syn::parse2(bound.clone()) else { return false };
    let Type::Path(path) = bound.bounded_ty else { return false };
    generics.type_params().any(|param| path.path.is_ident(&param.ident))
}

fn bound_attribute(wanted: &[TokenStream], span: Span) -> Attribute {
    let text = text(&quote!(#(#wanted),*), span);
    parse_quote_spanned!(span=> #[serde(bound = #text)])
}

/// Tokens in quotes, as serde takes them.
fn text(tokens: &TokenStream, span: Span) -> LitStr {
    let text = tokens.to_string().replace(":: ", "::").replace(" : ", ": ").replace(" , ", ", ");
    let text: Vec<_> = text.split(": ::").map(|part| part.replace(" ::", "::")).collect();
    LitStr::new(&text.join(": ::"), span)
}

/// The type's parameters, each of them a message itself.
fn bounded(rt: &TokenStream, generics: &Generics, span: Span) -> TokenStream {
    let mut generics = generics.clone();
    for param in generics.type_params_mut() {
        param.bounds.push(syn::parse_quote_spanned!(span=> #rt::Message));
    }
    let (params, _, _) = generics.split_for_impl();
    quote!(#params)
}

fn struct_type(rt: &TokenStream, fields: &Fields, span: Span) -> TokenStream {
    match fields {
        Fields::Unit => quote_spanned!(span=> #rt::glue::DataModelType::UnitStruct),
        Fields::Tuple(fields) => match fields.as_slice() {
            [field] if field.cfgs.is_empty() => {
                let schema = schema(rt, field);
                quote_spanned!(span=> #rt::glue::DataModelType::NewtypeStruct(#schema))
            }
            fields => {
                let list = list(rt, fields);
                quote_spanned!(span=> #rt::glue::DataModelType::TupleStruct(#list))
            }
        },
        Fields::Named(fields) => {
            let list = named(rt, fields);
            quote_spanned!(span=> #rt::glue::DataModelType::Struct(#list))
        }
    }
}

fn variant(rt: &TokenStream, variant: &Variant) -> TokenStream {
    let Variant { cfgs, ident, fields } = variant;
    let span = at(ident.span());
    let rt = &runtime_at(rt, span);
    let ty = match fields {
        Fields::Unit => quote_spanned!(span=> #rt::glue::DataModelVariant::UnitVariant),
        Fields::Tuple(fields) => match fields.as_slice() {
            [field] if field.cfgs.is_empty() => {
                let schema = schema(rt, field);
                quote_spanned!(span=> #rt::glue::DataModelVariant::NewtypeVariant(#schema))
            }
            fields => {
                let list = list(rt, fields);
                quote_spanned!(span=> #rt::glue::DataModelVariant::TupleVariant(#list))
            }
        },
        Fields::Named(fields) => {
            let list = named(rt, fields);
            quote_spanned!(span=> #rt::glue::DataModelVariant::StructVariant(#list))
        }
    };
    let name = ident.unraw().to_string();
    quote_spanned!(span=> #(#cfgs)* &#rt::glue::NamedVariant { name: #name, ty: &#ty })
}

/// A field's schema, asked through `Message`, so that a field that cannot travel is told so.
fn schema(rt: &TokenStream, field: &Field) -> TokenStream {
    let ty = &field.ty;
    let span = super::span_of(ty);
    let rt = runtime_at(rt, span);
    quote_spanned!(span=> #rt::glue::schema_of::<#ty>())
}

fn list(rt: &TokenStream, fields: &[Field]) -> TokenStream {
    let items = fields.iter().map(|field| {
        let cfgs = &field.cfgs;
        let schema = schema(rt, field);
        quote!(#(#cfgs)* #schema)
    });
    quote!(&[#(#items),*])
}

fn named(rt: &TokenStream, fields: &[Field]) -> TokenStream {
    let items = fields.iter().map(|field| {
        let cfgs = &field.cfgs;
        let schema = schema(rt, field);
        let name = field.ident.as_ref().map(|ident| ident.unraw().to_string()).unwrap_or_default();
        let span = at(field.ident.as_ref().map_or_else(Span::call_site, Ident::span));
        let rt = runtime_at(rt, span);
        quote_spanned!(span=> #(#cfgs)* &#rt::glue::NamedValue { name: #name, ty: #schema })
    });
    quote!(&[#(#items),*])
}

/// Expands an event's names.
pub fn event(model: &Event) -> TokenStream {
    let Event { runtime, ident, generics, topic, name } = model;
    if !generics.params.is_empty() {
        return TokenStream::new();
    }
    let span = at(ident.span());
    let rt = runtime_at(runtime, span);
    quote_spanned! {span=>
        #[automatically_derived]
        impl #rt::EventType for #ident {
            const TOPIC: &'static ::core::primitive::str = #topic;
            const NAME: &'static ::core::primitive::str = #name;
        }
    }
}
