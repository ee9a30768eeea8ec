//! A contract's table of requests, and its client.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Ident, Type};

use super::handlers::{arguments, request};
use super::{at, runtime_at, travels};
use crate::model::{Argument, Method, Service, ServiceMethod};
use crate::types::result;

pub fn service(model: &Service) -> TokenStream {
    if !model.generics.params.is_empty() {
        return TokenStream::new();
    }
    let Service { runtime, name, vis, ident, inherited, methods, is_dyn, .. } = model;
    let span = at(ident.span());
    let rt = &runtime_at(runtime, span);
    let client = format_ident!("{}Client", ident.unraw(), span = ident.span());
    let doc = format!(" A client of the service `{}`, in any placement.", name.value());
    let entries = methods.iter().map(|ServiceMethod { cfgs, method, .. }| {
        let span = at(method.ident.span());
        let rt = runtime_at(rt, span);
        let module = quote_spanned!(span=> __Module);
        let owner = quote_spanned!(span=> <__Module as #ident>);
        let request = request(method, &method.ident.unraw().to_string(), span, &module, &owner);
        let doc = (!method.doc.is_empty()).then(|| {
            let doc = &method.doc;
            quote_spanned!(span=> .doc(#doc))
        });
        let rt = runtime_at(&rt, arguments(method, span).0);
        quote_spanned!(span=> #(#cfgs)* #rt::glue::Handler::#request #doc)
    });
    let signatures = methods.iter().map(|ServiceMethod { cfgs, method, .. }| {
        let span = at(method.ident.span());
        let rt = runtime_at(rt, span);
        let name = method.ident.unraw().to_string();
        let types = method.args.iter().map(|arg| &arg.ty);
        let reply = reply(method);
        quote_spanned!(span=> #(#cfgs)* (#name, #rt::glue::Codec::of::<(#(#types,)*), #reply>()))
    });
    let calls = (0..methods.len()).map(|at| call(model, at));
    // What a `cfg` takes away goes without; one bound for each type says enough.
    let always = methods.iter().filter(|method| method.cfgs.is_empty());
    let mut told = Vec::new();
    let mut bounds: Vec<_> = always.flat_map(|method| travelling(rt, &method.method)).collect();
    bounds.retain(|bound| {
        let text = bound.to_string();
        let new = !told.contains(&text);
        told.push(text);
        new
    });
    let bounds = (!bounds.is_empty()).then(|| quote_spanned!(span=> where #(#bounds),*));
    let contract = is_dyn.then(|| {
        quote_spanned! {span=>
            #(#inherited)*
            #[automatically_derived]
            #[allow(deprecated)]
            impl<__Module: #ident + 'static> #rt::glue::Contract<__Module> for dyn #ident #bounds {
                const SERVICE: &'static ::core::primitive::str = #name;
                const REQUESTS: &'static [#rt::glue::Handler<__Module>] = &[#(#entries),*];
            }
        }
    });
    quote_spanned! {span=>
        #contract

        #(#inherited)*
        #[doc = #doc]
        #[::core::prelude::v1::derive(::core::fmt::Debug, ::core::clone::Clone)]
        #vis struct #client(#rt::glue::Link);

        #(#inherited)*
        impl #client #bounds {
            #(#calls)*
        }

        #(#inherited)*
        #[automatically_derived]
        impl #rt::glue::Client for #client #bounds {
            const SERVICE: &'static ::core::primitive::str = #name;
            const REQUESTS: &'static [(&'static ::core::primitive::str, &'static #rt::glue::Codec)] = &[#(#signatures),*];
            fn new(__link: #rt::glue::Link) -> Self { Self(__link) }
        }
    }
}

/// The bounds that what a method takes and returns travels.
fn travelling(rt: &TokenStream, method: &Method) -> Vec<TokenStream> {
    let reply = method.output.as_ref().map(|output| match result(output) {
        Some((ok, None)) => ok,
        _ => output,
    });
    method.args.iter().map(|arg| &arg.ty).chain(reply).flat_map(|ty| travels(rt, ty)).collect()
}

/// The client's method of that index.
fn call(model: &Service, at: usize) -> TokenStream {
    let rt = &model.runtime;
    let ServiceMethod { cfgs, deprecated, method } = &model.methods[at];
    let Method { ident, args, doc, .. } = method;
    let span = super::at(ident.span());
    let names = names(args, span);
    let types = args.iter().map(|arg| &arg.ty);
    let lent = args.iter().map(|arg| match &arg.ty {
        Type::Reference(reference) => {
            let elem = &reference.elem;
            quote!(&#elem)
        }
        ty => quote!(#ty),
    });
    let doc = if doc.is_empty() {
        quote_spanned!(span=> #[allow(missing_docs)])
    } else {
        let doc = format!(" {doc}");
        quote_spanned!(span=> #[doc = #doc])
    };
    let index = index(model, at);
    let (returned, call) = match fallible(method) {
        Some((ok, error)) => (
            quote_spanned!(span=> ::core::result::Result<#ok, #rt::CallError<#error>>),
            quote_spanned!(span=> call_fallible::<(#(#types,)*), #ok, #error>),
        ),
        None => {
            let reply = reply(method);
            (
                quote_spanned!(span=> ::core::result::Result<#reply, #rt::CallError>),
                quote_spanned!(span=> call_plain::<(#(#types,)*), #reply>),
            )
        }
    };
    quote_spanned! {span=>
        #(#cfgs)*
        #doc
        #deprecated
        pub fn #ident(&self #(, #names: #lent)*) -> #returned {
            self.0.#call(#index, (#(#names,)*))
        }
    }
}

/// What a client's method calls its arguments: what the contract's does, so that editors and docs show it.
fn names(args: &[Argument], span: Span) -> Vec<Ident> {
    let name = |name: &Ident| Ident::new(&name.to_string(), span);
    let raw = |name: &Ident| Ident::new_raw(&name.unraw().to_string(), span);
    let names: Vec<Ident> =
        args.iter().map(|arg| if arg.name == arg.name.unraw() { name(&arg.name) } else { raw(&arg.name) }).collect();
    let twice = names.iter().enumerate().any(|(at, name)| names[..at].contains(name));
    if twice { (0..args.len()).map(|at| format_ident!("a{at}", span = span)).collect() } else { names }
}

/// A method's place among those that exist: a number, and how many the compiler counts of those under a `cfg`.
fn index(model: &Service, at: usize) -> TokenStream {
    let (certain, others): (Vec<_>, Vec<_>) = model.methods[..at].iter().partition(|method| method.cfgs.is_empty());
    let certain = Literal::usize_unsuffixed(certain.len());
    if others.is_empty() {
        return quote!(#certain);
    }
    let others = others.iter().map(|method| {
        let cfgs = &method.cfgs;
        quote!(#(#cfgs)* ())
    });
    quote!(#certain + <[()]>::len(&[#(#others),*]))
}

/// What travels back: of a `Result` with a `ModuleError`, the value alone.
fn reply(method: &Method) -> TokenStream {
    match &method.output {
        None => quote!(()),
        Some(output) => match result(output) {
            Some((ok, None)) => quote!(#ok),
            _ => quote!(#output),
        },
    }
}

/// The two types of a `Result` whose error travels.
fn fallible(method: &Method) -> Option<(&Type, &Type)> {
    let (ok, error) = result(method.output.as_ref()?)?;
    Some((ok, error?))
}
