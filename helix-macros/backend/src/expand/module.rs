//! `impl Module`: metadata, config fields, contracts, and the export.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Expr, ExprLit, Generics, Ident, Lit};

use super::{at, ends_of, located, span_of};
use crate::model::{Dependency, Module, Provided, Setting};

/// Expands a module. The const checks are left out of one that is wrong already.
pub fn module(model: &Module, checked: bool) -> TokenStream {
    let ident = &model.ident;
    let cfgs = &model.cfgs;
    let span = at(ident.span());
    let rt = &located(&model.runtime, span);
    let generic = !model.generics.params.is_empty();
    let (impl_generics, ty_generics, _) = model.generics.split_for_impl();
    let where_clause = where_static(&model.generics);
    let info = info(model);
    let settings = model.settings.iter().map(|setting| self::setting(model, setting));
    let contracts = model.provides.iter().filter_map(|provided| match provided {
        Provided::Contract(path) => {
            let here = span_of(path);
            let rt = located(rt, here);
            Some(quote_spanned!(here=> <dyn #path as #rt::glue::Contract<Self>>::REQUESTS))
        }
        Provided::Name(_) => None,
    });
    let stateless = model.stateless;
    let new = match &model.new {
        Some(path) => quote_spanned!(span_of(path)=> #path()),
        None => quote_spanned!(span=> ::core::default::Default::default()),
    };
    let checks = if checked { checks(model) } else { Vec::new() };
    // A generic module is checked where it is used: its constants are not there before.
    let (inside, outside) = if generic { (checks, Vec::new()) } else { (Vec::new(), checks) };
    let stateless = match inside.as_slice() {
        [] => quote!(#stateless),
        checks => {
            let checks = checks.iter().map(|(_, check)| check);
            quote_spanned!(span=> { #(#checks;)* #stateless })
        }
    };
    let outside = outside.iter().map(|(span, check)| quote_spanned!(*span=> #(#cfgs)* const _: () = #check;));
    let export = if checked && !generic { export(model) } else { TokenStream::new() };
    quote_spanned! {span=>
        #(#cfgs)*
        #[automatically_derived]
        impl #impl_generics #rt::Module for #ident #ty_generics #where_clause {
            const INFO: #rt::ModuleInfo = #info;
            const SETTINGS: &'static [#rt::glue::Setting<Self>] = &[#(#settings),*];
            const CONTRACTS: &'static [&'static [#rt::glue::Handler<Self>]] = &[#(#contracts),*];
            const STATELESS: ::core::primitive::bool = #stateless;
            fn create() -> Self { #new }
        }
        #(#outside)*
        #export
    }
}

/// A module lives as long as its runtime.
fn where_static(generics: &Generics) -> TokenStream {
    let clause = generics.where_clause.as_ref().map(|clause| {
        let predicates = clause.predicates.iter();
        quote!(#(#predicates,)*)
    });
    if generics.params.is_empty() && clause.is_none() {
        return TokenStream::new();
    }
    quote!(where #clause Self: 'static)
}

fn info(model: &Module) -> TokenStream {
    let name = &model.name;
    let span = at(model.ident.span());
    let rt = &located(&model.runtime, span);
    let mut steps = Vec::new();
    let mut step = |method: &str, value: TokenStream| {
        let method = Ident::new(method, span);
        steps.push(quote_spanned!(span=> .#method(#value)));
    };
    match &model.version {
        Some(version) => step("version_str", quote!(#version)),
        None => step("version_str", quote_spanned!(span=> ::core::env!("CARGO_PKG_VERSION"))),
    }
    if !model.description.is_empty() {
        let description = &model.description;
        step("description", quote!(#description));
    }
    if let Some(author) = &model.author {
        step("author", quote!(#author));
    }
    match &model.license {
        Some(license) => step("license", quote!(#license)),
        None => step("license", quote_spanned!(span=> ::core::env!("CARGO_PKG_LICENSE"))),
    }
    if let Some(kind) = &model.kind {
        let variant = Ident::new(
            match kind.to_string().as_str() {
                "core" => "Core",
                "system" => "System",
                "plugin" => "Plugin",
                _ => "App",
            },
            span,
        );
        step("kind", quote_spanned!(span=> #rt::ModuleKind::#variant));
    }
    if !model.flags.is_empty() {
        let mut flags = model.flags.iter().map(|flag| Ident::new(&flag.to_string(), at(flag.span())));
        let first = flags.next();
        step("flags", quote_spanned!(span=> #rt::ModuleFlags::#first #(.union(#rt::ModuleFlags::#flags))*));
    }
    if !model.provides.is_empty() {
        // Contracts first, in the order of `CONTRACTS`.
        let contracts = model.provides.iter().filter_map(|provided| match provided {
            Provided::Contract(path) => {
                let here = span_of(path);
                let rt = located(rt, here);
                Some(quote_spanned!(here=> <dyn #path as #rt::glue::Contract<Self>>::SERVICE))
            }
            Provided::Name(_) => None,
        });
        let names = model.provides.iter().filter_map(|provided| match provided {
            Provided::Name(name) => Some(quote!(#name)),
            Provided::Contract(_) => None,
        });
        let provides = contracts.chain(names);
        step("provides", quote!(&[#(#provides),*]));
    }
    if !model.dependencies.is_empty() {
        let dependencies = model.dependencies.iter().map(|dependency| self::dependency(model, dependency));
        step("requires", quote!(&[#(#dependencies),*]));
    }
    if !model.features.is_empty() {
        let features = &model.features;
        step("features", quote!(&[#(#features),*]));
    }
    if !model.permissions.is_empty() {
        let permissions = &model.permissions;
        step("permissions", quote!(&[#(#permissions),*]));
    }
    quote_spanned!(span=> #rt::ModuleInfo::new(#name)#(#steps)*)
}

fn dependency(model: &Module, dependency: &Dependency) -> TokenStream {
    let Dependency { name, version, features, optional } = dependency;
    let span = at(name.span());
    let rt = located(&model.runtime, span);
    let version = version.as_ref().map(|version| quote_spanned!(span=> .version(#version)));
    let features = (!features.is_empty()).then(|| quote_spanned!(span=> .features(&[#(#features),*])));
    let optional = optional.then(|| quote_spanned!(span=> .optional()));
    quote_spanned!(span=> #rt::Dependency::new(#name)#version #features #optional)
}

fn setting(model: &Module, setting: &Setting) -> TokenStream {
    let Setting { cfgs, ident, ty, doc, default } = setting;
    let span = at(ident.span());
    // What the compiler shows when the type cannot be configured, or the default is not of it.
    let (begin, end) = match default {
        Some(default) => ends_of(default),
        None => ends_of(ty),
    };
    let rt = located(&model.runtime, begin);
    let key = ident.unraw().to_string();
    let ty_text = shown(ty);
    let set = quote_spanned!(span=> |m: &mut Self, value: #ty| m.#ident = value);
    match default {
        None => {
            let values = quote_spanned!(end=> (#key, #ty_text, #doc, #set));
            quote_spanned!(begin=> #(#cfgs)* #rt::glue::Setting::required::<#ty, _> #values)
        }
        Some(default) => {
            let text = match default {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.value(),
                other => shown(other),
            };
            let values = quote_spanned!(end=> (#key, #ty_text, #doc, #text, #set, || #default));
            quote_spanned!(begin=> #(#cfgs)* #rt::glue::Setting::with_default::<#ty, _, _, _> #values)
        }
    }
}

/// Tokens as one would write them: without blanks around punctuation.
fn shown(tokens: &impl quote::ToTokens) -> String {
    let text = tokens.to_token_stream().to_string();
    ["::", "<", ">", "(", ")", "!", ".", "-", "&"]
        .iter()
        .fold(text, |text, mark| text.replace(&format!(" {mark}"), mark).replace(&format!("{mark} "), mark))
        .replace(" ,", ",")
}

/// The const checks of a module, each with the place that it points to.
fn checks(model: &Module) -> Vec<(Span, TokenStream)> {
    let check = |span: Span, name: &str, arg: TokenStream| {
        let (rt, name) = (located(&model.runtime, span), Ident::new(name, span));
        let module = if model.generics.params.is_empty() {
            let mut ident = model.ident.clone();
            ident.set_span(ident.span().located_at(span));
            ident
        } else {
            Ident::new("Self", span)
        };
        (span, quote_spanned!(span=> #rt::glue::#name::<#module>(#arg)))
    };
    let mut checks = vec![check(at(model.ident.span()), "check_module", TokenStream::new())];
    let contracts = model.provides.iter().filter_map(|provided| match provided {
        Provided::Contract(path) => Some(span_of(path)),
        Provided::Name(_) => None,
    });
    checks.extend(contracts.enumerate().map(|(index, span)| check(span, "check_contract", quote!(#index))));
    if let Some(flag) = model.flags.iter().find(|flag| *flag == "HOT_RELOADABLE") {
        checks.push(check(at(flag.span()), "check_reloadable", TokenStream::new()));
    }
    checks
}

/// The one exported symbol and the record, in a crate that is built to be loaded.
fn export(model: &Module) -> TokenStream {
    let rt = &model.runtime;
    let ident = &model.ident;
    let cfgs = &model.cfgs;
    let span = Span::mixed_site();
    let record = record(quote!(#rt), &quote_spanned!(span=> <#ident as #rt::Module>::DESCRIPTOR));
    quote_spanned! {span=>
        #(#cfgs)*
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(helix_export)]
            const _: () = {
                #[unsafe(no_mangle)]
                static HELIX_MODULE: &#rt::glue::Descriptor = <#ident as #rt::Module>::DESCRIPTOR;
                #record
            };
        };
    }
}

/// A static that writes a descriptor's record into the section for them.
pub fn record(rt: TokenStream, descriptor: &TokenStream) -> TokenStream {
    let span = Span::mixed_site();
    quote_spanned! {span=>
        #[used]
        #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,.helix.modinfo"))]
        #[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".helix.modinfo"))]
        static RECORD: [::core::primitive::u8; #rt::glue::record_len(#descriptor)] = #rt::glue::record(#descriptor);
    }
}
