//! `#[helix_service("name")]` and the trait under it.

use proc_macro2::{Group, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Generics, Ident, LitStr, Token, Visibility, braced};

use super::handlers::HELPERS;
use super::items::Items;
use super::method::{method, owned_reply, static_arguments};
use super::{attributes, default_runtime, module, options};
use crate::errors::Errors;
use crate::model::{Service, ServiceMethod};
use crate::names;

struct Trait {
    attrs: Vec<Attribute>,
    vis: Visibility,
    head: TokenStream,
    ident: Ident,
    generics: Generics,
    tail: TokenStream,
    brace: proc_macro2::Span,
    items: Items,
}

fn contract(input: ParseStream<'_>) -> syn::Result<Trait> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis = input.parse()?;
    let unsafety: Option<Token![unsafe]> = input.parse()?;
    let token: Token![trait] =
        input.parse().map_err(|error| syn::Error::new(error.span(), "`#[helix_service(\"..\")]` goes on a trait"))?;
    let ident = input.parse()?;
    let generics = if input.peek(Token![<]) { input.parse()? } else { Generics::default() };
    let mut tail = TokenStream::new();
    while !input.peek(syn::token::Brace) {
        tail.extend([input.parse::<proc_macro2::TokenTree>()?]);
    }
    let content;
    let brace = braced!(content in input);
    let items = content.parse()?;
    Ok(Trait { attrs, vis, head: quote!(#unsafety #token), ident, generics, tail, brace: brace.span.join(), items })
}

/// Reads the attribute and the trait; gives the trait as it was, and the model.
pub fn service(args: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<(TokenStream, Service)> {
    let mut contract = errors.ok(contract.parse2(item))?;
    let mut runtime = default_runtime();
    let name = errors.ok((|input: ParseStream<'_>| name(input, &mut runtime, &contract.ident)).parse2(args));
    if !contract.generics.params.is_empty() {
        errors.at(&contract.generics, "a contract cannot be generic: its requests have one schema each");
    }
    let (mut methods, mut is_dyn) = (Vec::new(), contract.generics.params.is_empty());
    for item in &mut contract.items.items {
        for helper in attributes::take(&mut item.attrs, HELPERS) {
            errors.at(&helper.meta, "a contract's methods are requests without an attribute: remove this");
        }
        let cfgs: Vec<TokenStream> = attributes::cfgs(&item.attrs).iter().map(ToTokens::to_token_stream).collect();
        let mut wrong = Errors::default();
        let Some(signature) = &item.signature else {
            wrong.at(&*item, "a contract has methods only, for they are requests: move this to another trait");
            errors.push_under(&cfgs, wrong);
            is_dyn &= !cfgs.is_empty();
            continue;
        };
        match method(signature, attributes::doc(&item.attrs), &mut wrong) {
            None => is_dyn &= !cfgs.is_empty(),
            Some(mut method) => {
                let fine = static_arguments(&mut method.args, &mut wrong);
                if owned_reply(method.output.as_ref(), &mut wrong) && fine {
                    let deprecated = item.attrs.iter().find(|attr| attr.path().is_ident("deprecated")).cloned();
                    methods.push(ServiceMethod { cfgs: cfgs.clone(), deprecated, method });
                }
            }
        }
        errors.push_under(&cfgs, wrong);
    }
    let Trait { attrs, vis, head, ident, generics, tail, brace, items } = contract;
    let inherited = attributes::inherited(&attrs);
    let mut body = Group::new(proc_macro2::Delimiter::Brace, items.to_token_stream());
    body.set_span(brace);
    let tokens = quote!(#(#attrs)* #vis #head #ident #generics #tail #body);
    let name = name.unwrap_or_else(|| LitStr::new(&names::kebab_case(&ident), ident.span()));
    Some((tokens, Service { runtime, name, vis, ident, generics, inherited, methods, is_dyn }))
}

fn name(input: ParseStream<'_>, runtime: &mut syn::Path, ident: &Ident) -> syn::Result<LitStr> {
    let usage = || {
        let name = names::kebab_case(ident);
        format!("a contract has a name: write `#[helix_service({name:?})]`")
    };
    if !input.peek(LitStr) {
        return Err(if input.is_empty() { syn::Error::new(ident.span(), usage()) } else { input.error(usage()) });
    }
    let name = options::checked_name(input.parse()?)?;
    if input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
        let option = input
            .call(Ident::parse_any)
            .map_err(|error| syn::Error::new(error.span(), "expected `crate = ..`: a contract has one name"))?;
        if option != "crate" {
            return Err(syn::Error::new(option.span(), names::unknown("option", &option.to_string(), &["crate"])));
        }
        *runtime = module::runtime(&option, input)?;
        input.parse::<Option<Token![,]>>()?;
    }
    if input.is_empty() { Ok(name) } else { Err(input.error("expected nothing more")) }
}
