//! `impl Module`: metadata, config fields, contracts, and the export.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Expr, ExprLit, Generics, Ident, Lit, Path};

use super::{at, ends_of, runtime_at, span_of};
use crate::model::{Dependency, Module, Provided, Setting};

/// Expands a module. The const checks are left out of one that is wrong already.
pub fn module(model: &Module, checked: bool) -> TokenStream {
    let ident = &model.ident;
    let inherited = &model.inherited;
    let span = at(ident.span());
    let rt = &runtime_at(&model.runtime, span);
    let generic = !model.generics.params.is_empty();
    let (impl_generics, ty_generics, _) = model.generics.split_for_impl();
    let where_clause = where_static(&model.generics);
    let info = info(model);
    let settings = model.settings.iter().map(|setting| self::setting(model, setting));
    let settings = (!model.settings.is_empty())
        .then(|| quote_spanned!(span=> const SETTINGS: &'static [#rt::glue::Setting<Self>] = &[#(#settings),*];));
    let mut contracts = contracts(model).map(|path| {
        let here = span_of(path);
        let rt = runtime_at(rt, here);
        quote_spanned!(here=> <dyn #path as #rt::glue::Contract<Self>>::REQUESTS)
    });
    let contracts = contracts.next().map(|first| {
        quote_spanned!(span=> const CONTRACTS: &'static [&'static [#rt::glue::Handler<Self>]] = &[#first #(, #contracts)*];)
    });
    let stateless = model.stateless.then(|| quote_spanned!(span=> const STATELESS: ::core::primitive::bool = true;));
    let new = match &model.new {
        Some(path) => quote_spanned!(span_of(path)=> #path()),
        None => quote_spanned!(span=> ::core::default::Default::default()),
    };
    let checks = if checked { checks(model) } else { Vec::new() };
    // A generic module is checked where it is used: its constants are not there before.
    let (inside, outside) = if generic {
        let checks = checks.iter().map(|(_, check)| check);
        (Some(quote_spanned!(span=> const CHECKED: () = { #(#checks;)* };)), TokenStream::new())
    } else {
        let checks = checks.iter().map(|(span, check)| quote_spanned!(*span=> #(#inherited)* const _: () = #check;));
        (None, checks.collect())
    };
    let cfgs = inherited.iter().filter(|attr| !attr.path().is_ident("allow"));
    let export =
        (checked && !generic).then(|| quote_spanned!(Span::mixed_site()=> #(#cfgs)* #rt::glue::export! { #ident }));
    quote_spanned! {span=>
        #(#inherited)*
        #[automatically_derived]
        impl #impl_generics #rt::Module for #ident #ty_generics #where_clause {
            const INFO: #rt::ModuleInfo = #info;
            #settings
            #contracts
            #stateless
            #inside
            fn create() -> Self { #new }
        }
        #outside
        #export
    }
}

/// The contracts among what a module provides.
fn contracts(model: &Module) -> impl Iterator<Item = &Path> {
    model.provides.iter().filter_map(|provided| match provided {
        Provided::Contract(path) => Some(path),
        Provided::Name(_) => None,
    })
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
    let rt = &model.runtime;
    let name = &model.name;
    let span = at(model.ident.span());
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
        let contracts = contracts(model).map(|path| {
            let here = span_of(path);
            let rt = runtime_at(rt, here);
            quote_spanned!(here=> <dyn #path as #rt::glue::Contract<Self>>::SERVICE)
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
    let rt = runtime_at(&model.runtime, dependency.name.span());
    let Dependency { name, version, features, optional } = dependency;
    let span = at(name.span());
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
    let rt = runtime_at(&model.runtime, begin);
    let key = ident.unraw().to_string();
    let ty_text = shown_type(ty);
    let set = quote_spanned!(span=> |__m: &mut Self, __v: #ty| __m.#ident = __v);
    match default {
        None => {
            let values = quote_spanned!(end=> (#key, #ty_text, #doc, #set));
            quote_spanned!(begin=> #(#cfgs)* #rt::glue::Setting::required::<#ty, _> #values)
        }
        Some(default) => {
            let text = match default {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.value(),
                other => shown_expr(other),
            };
            let values = quote_spanned!(end=> (#key, #ty_text, #doc, #text, #set, || #default));
            quote_spanned!(begin=> #(#cfgs)* #rt::glue::Setting::with_default::<#ty, _, _, _> #values)
        }
    }
}

/// A type as one would write it: without blanks around punctuation.
fn shown_type(ty: &syn::Type) -> String {
    without_blanks(ty, &["::", "<", ">", "(", ")", "[", "]", "&", "!"])
}

/// An expression as one would write it; around operators the blanks stay.
fn shown_expr(expr: &Expr) -> String {
    let text = without_blanks(expr, &["::", ".", "!"]);
    let mut shown = String::with_capacity(text.len());
    for (at, char) in text.char_indices() {
        let is_call =
            text[at..].starts_with(" (") && shown.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        if !is_call {
            shown.push(char);
        }
    }
    shown
}

fn without_blanks(tokens: &impl quote::ToTokens, marks: &[&str]) -> String {
    marks
        .iter()
        .fold(tokens.to_token_stream().to_string(), |text, mark| {
            text.replace(&format!(" {mark}"), mark).replace(&format!("{mark} "), mark)
        })
        .replace(" ,", ",")
}

/// The const checks of a module, each with the place that it points to.
fn checks(model: &Module) -> Vec<(Span, TokenStream)> {
    let check = |span: Span, name: &str, arg: Option<Literal>| {
        let (rt, name) = (runtime_at(&model.runtime, span), Ident::new(name, span));
        let mut module = model.ident.clone();
        module.set_span(module.span().located_at(span));
        if !model.generics.params.is_empty() {
            module = Ident::new("Self", span);
        }
        (span, quote_spanned!(span=> #rt::glue::#name::<#module>(#arg)))
    };
    let mut checks = Vec::new();
    if !model.generics.params.is_empty() {
        // Of any other module the handlers block asks for this check, where it cannot tell by itself.
        checks.push(check(at(model.ident.span()), "check_module", None));
    }
    checks.extend(
        contracts(model)
            .enumerate()
            .map(|(index, path)| check(span_of(path), "check_contract", Some(Literal::usize_unsuffixed(index)))),
    );
    if let Some(flag) = model.flags.iter().find(|flag| *flag == "HOT_RELOADABLE") {
        checks.push(check(at(flag.span()), "check_reloadable", None));
    }
    checks
}
