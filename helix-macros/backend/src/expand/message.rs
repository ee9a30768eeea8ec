//! A message's codec and schema; an event's names.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Generics, Ident, LitStr};

use super::{at, located};
use crate::model::{Event, Field, Fields, Message, MessageShape, Variant};

/// Expands a message: the item under its derives, and its schema.
pub fn message(model: &Message, item: TokenStream) -> TokenStream {
    let Message { runtime, ident, generics, cfgs, shape, sound } = model;
    if !sound {
        return item;
    }
    let span = at(ident.span());
    let rt = &located(runtime, span);
    let serde = LitStr::new(&quote!(#rt::glue::serde).to_string().replace(' ', ""), span);
    let (_, ty_generics, where_clause) = generics.split_for_impl();
    let params = bounded(rt, generics, span);
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
        impl #params #rt::glue::Schema for #ident #ty_generics #where_clause {
            const SCHEMA: &'static #rt::glue::NamedType = &#rt::glue::NamedType { name: #name, ty: &#ty };
        }

        #(#cfgs)*
        #[automatically_derived]
        impl #params #rt::Message for #ident #ty_generics #where_clause {}
    }
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
            [field] => {
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
    let rt = &located(rt, span);
    let ty = match fields {
        Fields::Unit => quote_spanned!(span=> #rt::glue::DataModelVariant::UnitVariant),
        Fields::Tuple(fields) => match fields.as_slice() {
            [field] => {
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
    let rt = located(rt, span);
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
        let rt = located(rt, span);
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
    let rt = located(runtime, span);
    quote_spanned! {span=>
        #[automatically_derived]
        impl #rt::EventType for #ident {
            const TOPIC: &'static ::core::primitive::str = #topic;
            const NAME: &'static ::core::primitive::str = #name;
        }
    }
}
