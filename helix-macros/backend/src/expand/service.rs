//! A contract's table of requests, and its client.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{GenericArgument, PathArguments, Type, TypePath};

use super::handlers::{arguments, request};
use super::{at, located, travels};
use crate::model::{Method, Service, ServiceMethod};

pub fn service(model: &Service) -> TokenStream {
    let Service { runtime, name, vis, ident, cfgs, methods, .. } = model;
    let span = at(ident.span());
    let rt = &located(runtime, span);
    let client = format_ident!("{}Client", ident.unraw(), span = ident.span());
    let doc = format!("A client of the service `{}`, in any placement.", name.value());
    let entries = methods.iter().map(|ServiceMethod { cfgs, method }| {
        let span = at(method.ident.span());
        let module = quote_spanned!(span=> __Module);
        let owner = quote_spanned!(span=> <__Module as #ident>);
        let request = request(rt, method, &method.ident.unraw().to_string(), span, &module, &owner);
        let doc = (!method.doc.is_empty()).then(|| {
            let doc = &method.doc;
            quote_spanned!(span=> .doc(#doc))
        });
        let rt = located(rt, arguments(method, span).0);
        quote_spanned!(span=> #(#cfgs)* #rt::glue::Handler::#request #doc)
    });
    let signatures = methods.iter().map(|ServiceMethod { cfgs, method }| {
        let span = at(method.ident.span());
        let name = method.ident.unraw().to_string();
        let types = method.args.iter().map(|arg| &arg.ty);
        let reply = reply(method);
        let rt = located(rt, span);
        quote_spanned!(span=> #(#cfgs)* (#name, #rt::glue::Codec::of::<(#(#types,)*), #reply>()))
    });
    let calls = (0..methods.len()).map(|at| call(model, at));
    let bounds: Vec<_> = methods
        .iter()
        .filter(|method| method.cfgs.is_empty())
        .flat_map(|ServiceMethod { method, .. }| travelling(rt, method))
        .collect();
    let bounds = if bounds.is_empty() { TokenStream::new() } else { quote_spanned!(span=> where #(#bounds),*) };
    let contract = model.is_dyn.then(|| {
        quote_spanned! {span=>
            #(#cfgs)*
            #[automatically_derived]
            impl<__Module: #ident + 'static> #rt::glue::Contract<__Module> for dyn #ident #bounds {
                const SERVICE: &'static ::core::primitive::str = #name;
                const REQUESTS: &'static [#rt::glue::Handler<__Module>] = &[#(#entries),*];
            }
        }
    });
    quote_spanned! {span=>
        #contract

        #(#cfgs)*
        #[doc = #doc]
        #vis struct #client(#rt::glue::Link);

        #(#cfgs)*
        impl #client #bounds {
            #(#calls)*
        }

        #(#cfgs)*
        #[automatically_derived]
        impl #rt::glue::Client for #client #bounds {
            const SERVICE: &'static ::core::primitive::str = #name;
            const REQUESTS: &'static [(&'static ::core::primitive::str, &'static #rt::glue::Codec)] = &[#(#signatures),*];
            fn new(link: #rt::glue::Link) -> Self { Self(link) }
        }
    }
}

/// The bounds that what a method takes and returns travels; none where a `cfg` may take the types away.
fn travelling(rt: &TokenStream, method: &Method) -> Vec<TokenStream> {
    let reply = method.output.as_ref().map(|output| match result(output) {
        Some((ok, error)) if is_module_error(error) => ok,
        _ => output,
    });
    method.args.iter().map(|arg| &arg.ty).chain(reply).flat_map(|ty| travels(rt, ty)).collect()
}

/// The client's method of that index.
fn call(model: &Service, at: usize) -> TokenStream {
    let ServiceMethod { cfgs, method } = &model.methods[at];
    let Method { ident, args, doc, .. } = method;
    let span = super::at(ident.span());
    let rt = located(&model.runtime, span);
    let names: Vec<_> = (0..args.len()).map(|at| format_ident!("a{at}", span = span)).collect();
    let types = args.iter().map(|arg| &arg.ty);
    let lent = args.iter().map(|arg| match &arg.ty {
        Type::Reference(reference) => {
            let elem = &reference.elem;
            quote!(&#elem)
        }
        ty => quote!(#ty),
    });
    let doc = (!doc.is_empty()).then(|| quote_spanned!(span=> #[doc = #doc]));
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
    let doc = doc.unwrap_or_else(|| quote_spanned!(span=> #[allow(missing_docs)]));
    quote_spanned! {span=>
        #(#cfgs)*
        #doc
        pub fn #ident(&self #(, #names: #lent)*) -> #returned {
            self.0.#call(#index, (#(#names,)*))
        }
    }
}

/// A method's place among those that exist: a number, or what the compiler counts where some depend on a `cfg`.
fn index(model: &Service, at: usize) -> TokenStream {
    let before = &model.methods[..at];
    if before.iter().all(|method| method.cfgs.is_empty()) {
        return quote!(#at);
    }
    let units = before.iter().map(|method| {
        let cfgs = &method.cfgs;
        quote!(#(#cfgs)* ())
    });
    quote!(<[()]>::len(&[#(#units),*]))
}

/// What travels back: of a `Result` with a `ModuleError`, the value alone.
fn reply(method: &Method) -> TokenStream {
    let Some(output) = &method.output else { return quote!(()) };
    match result(output) {
        Some((ok, error)) if is_module_error(error) => quote!(#ok),
        _ => quote!(#output),
    }
}

/// The two types of a `Result` whose error travels.
fn fallible(method: &Method) -> Option<(&Type, &Type)> {
    result(method.output.as_ref()?).filter(|(_, error)| !is_module_error(error))
}

fn result(ty: &Type) -> Option<(&Type, &Type)> {
    let Type::Path(TypePath { path, .. }) = ty else { return None };
    let last = path.segments.last().filter(|segment| segment.ident == "Result")?;
    let PathArguments::AngleBracketed(args) = &last.arguments else { return None };
    let types: Vec<&Type> = args
        .args
        .iter()
        .filter_map(|arg| match arg {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        })
        .collect();
    match types.as_slice() {
        [ok, error] => Some((ok, error)),
        _ => None,
    }
}

fn is_module_error(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|segment| segment.ident == "ModuleError"))
}
