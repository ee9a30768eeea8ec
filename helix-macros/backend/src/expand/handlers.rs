//! `impl Handlers`: one entry for each handler attribute, in source order.

use proc_macro2::{Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Expr, Ident, Path, Type};

use super::{at, ends_of, runtime_at, span_of};
use crate::model::{Handler, HandlerKind, Handlers, Heard, Method};
use crate::types;

pub fn handlers(model: &Handlers) -> TokenStream {
    let Handlers { runtime, self_ty, generics, where_clause, inherited, handlers, sound } = model;
    let span = span_of(self_ty);
    let unsound = (!sound).then(|| quote_spanned!(span=> const SOUND: ::core::primitive::bool = false;));
    let rt = &runtime_at(runtime, span);
    let check = needs_check(model)
        .then(|| quote_spanned!(span=> #(#inherited)* const _: () = #rt::glue::check_module::<#self_ty>();));
    let entries = handlers.iter().map(|handler| entry(runtime, handler));
    let (impl_generics, _, _) = generics.split_for_impl();
    let predicates = where_clause.iter().flat_map(|clause| &clause.predicates);
    // A module lives as long as its runtime.
    let where_clause = if generics.params.is_empty() && !elides_lifetime(self_ty.to_token_stream()) {
        quote!(#where_clause)
    } else {
        quote!(where #(#predicates,)* Self: 'static)
    };
    quote_spanned! {span=>
        #(#inherited)*
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #rt::Handlers for #self_ty #where_clause {
            const HANDLERS: &'static [#rt::glue::Handler<Self>] = &[#(#entries),*];
            #unsound
        }
        #check
    }
}

/// Whether the compiler has to look at the table: what a `cfg` takes away, and the types of saved state, only it knows.
/// Without either, `check` has seen all there is, and a table that nobody evaluates costs nothing.
fn needs_check(model: &Handlers) -> bool {
    let is_open = |handler: &Handler| !handler.cfgs.is_empty() || matches!(handler.kind, HandlerKind::Save { .. });
    let is_generic = |token: TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '<');
    model.sound
        && model.handlers.iter().any(is_open)
        && model.generics.params.is_empty()
        && !model.self_ty.to_token_stream().into_iter().any(is_generic)
}

/// Whether `'_` is among the tokens.
fn elides_lifetime(tokens: TokenStream) -> bool {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let elided = match &token {
            TokenTree::Punct(quote) => {
                quote.as_char() == '\'' && matches!(tokens.peek(), Some(TokenTree::Ident(name)) if name == "_")
            }
            TokenTree::Group(group) => elides_lifetime(group.stream()),
            _ => false,
        };
        if elided {
            return true;
        }
    }
    false
}

fn entry(rt: &Path, handler: &Handler) -> TokenStream {
    let Handler { span, cfgs, method, kind } = handler;
    let span = at(*span);
    let rt = &runtime_at(rt, span);
    let constructor = |name: &str| constructor(name, method.exclusive, span);
    let output = output(method, span);
    let entry = match kind {
        HandlerKind::Step(step) => {
            let new = constructor("step");
            let step = Ident::new(step, span);
            let run = call(method, &[], span);
            quote_spanned!(span=> #new::<#output, _>(#rt::glue::Step::#step, #run))
        }
        HandlerKind::Health => {
            let new = constructor("health");
            let run = call(method, &[], span);
            quote_spanned!(span=> #new(#run))
        }
        HandlerKind::Event { heard, priority } => {
            let priority = priority.as_ref().map(|priority| {
                let priority = self::priority(rt, priority, span);
                quote_spanned!(span=> .priority(#priority))
            });
            let event = Ident::new("__e", span);
            let run = call(method, &[quote!(#event)], span);
            let view = match method.args.first().map(|arg| types::ungrouped(&arg.ty)) {
                Some(Type::Reference(taken)) => taken.elem.to_token_stream(),
                _ => quote_spanned!(span=> ()),
            };
            match heard {
                Heard::Type(ty) => {
                    let new = constructor("event");
                    quote_spanned!(span=> #new::<#ty, #view, #output, _>(#run)#priority)
                }
                Heard::Name(name) => {
                    let new = constructor("named");
                    quote_spanned!(span=> #new::<#view, #output, _>(#name, #run)#priority)
                }
            }
        }
        HandlerKind::Request { name, permission, raw } => {
            let permission = permission.as_ref().map(|permission| quote_spanned!(span=> .permission(#permission)));
            let doc = (!method.doc.is_empty()).then(|| {
                let doc = &method.doc;
                quote_spanned!(span=> .doc(#doc))
            });
            let request = if *raw {
                let new = constructor("raw");
                let argument = Ident::new("__r", span);
                let run = call(method, &[quote!(#argument)], span);
                quote_spanned!(span=> #new(#name, #run))
            } else {
                let this = quote_spanned!(span=> Self);
                request(method, &name.value(), span, &this, &this)
            };
            quote!(#request #doc #permission)
        }
        HandlerKind::Save { version } => {
            let new = constructor("save");
            let run = call(method, &[], span);
            let version = Literal::u32_unsuffixed(*version);
            quote_spanned!(span=> #new::<#output, _>(#version, #run))
        }
        HandlerKind::Restore { version } => {
            let new = constructor("restore");
            let state = Ident::new("__s", span);
            let run = call(method, &[quote!(#state)], span);
            let version = Literal::u32_unsuffixed(*version);
            let state = method.args.iter().map(|arg| &arg.ty);
            quote_spanned!(span=> #new::<#(#state,)* #output, _>(#version, #run))
        }
    };
    let begin = match kind {
        HandlerKind::Request { raw: false, .. } => arguments(method, span).0,
        _ => span,
    };
    let rt = runtime_at(rt, begin);
    quote_spanned!(span=> #(#cfgs)* #rt::glue::Handler::#entry)
}

/// What a method returns, said rather than inferred: what may not be returned is then refused where it stands.
fn output(method: &Method, span: Span) -> TokenStream {
    method.output.as_ref().map_or_else(|| quote_spanned!(span=> ()), ToTokens::to_token_stream)
}

/// Where a method's arguments begin and end. The call that names their types reaches from there to there, for that is
/// what the compiler shows when one of them cannot travel.
pub fn arguments(method: &Method, otherwise: Span) -> (Span, Span) {
    let types: Vec<_> = method.args.iter().map(|arg| &arg.ty).collect();
    if types.is_empty() { (otherwise, otherwise) } else { ends_of(&quote!(#(#types)*)) }
}

fn constructor(name: &str, exclusive: bool, span: Span) -> Ident {
    let suffix = if exclusive { "_mut" } else { "" };
    Ident::new(&format!("{name}{suffix}"), span)
}

/// The closure that calls a method with `args` and the context, as far as it takes them.
fn call(method: &Method, args: &[TokenStream], span: Span) -> TokenStream {
    let name = &method.ident;
    let module = receiver(method.exclusive, span, &quote_spanned!(span=> Self));
    let passed = args.iter().take(method.args.len());
    let params = args.iter().enumerate().map(|(at, arg)| if at < method.args.len() { arg.clone() } else { quote!(_) });
    let (context, pass_context) = context(method, span);
    quote_spanned!(span=> |__m: #module #(, #params)*, #context| Self::#name(__m #(, #passed)* #pass_context))
}

fn receiver(exclusive: bool, span: Span, ty: &TokenStream) -> TokenStream {
    if exclusive { quote_spanned!(span=> &mut #ty) } else { quote_spanned!(span=> &#ty) }
}

fn context(method: &Method, span: Span) -> (TokenStream, TokenStream) {
    if method.takes_context {
        (quote_spanned!(span=> __c), quote_spanned!(span=> , __c))
    } else {
        (quote_spanned!(span=> _), TokenStream::new())
    }
}

/// A typed request of `module`, whose method is `owner`'s: the module's own, or a contract's.
pub fn request(method: &Method, name: &str, span: Span, module: &TokenStream, owner: &TokenStream) -> TokenStream {
    let (begin, end) = arguments(method, span);
    let new = constructor("request", method.exclusive, begin);
    let output = output(method, span);
    let names = method.args.iter().map(|arg| arg.name.unraw().to_string());
    let types = method.args.iter().map(|arg| &arg.ty);
    let args: Vec<Ident> = (0..method.args.len()).map(|at| format_ident!("__a{at}", span = span)).collect();
    let method_name = &method.ident;
    let receiver = receiver(method.exclusive, span, module);
    let (context, pass_context) = context(method, span);
    let values = quote_spanned!(span=> #name, &[#(#names),*], |__m: #receiver, (#(#args,)*), #context| #owner::#method_name(__m #(, #args)* #pass_context));
    let call = quote_spanned!(end=> (#values));
    quote_spanned!(begin=> #new::<(#(#types,)*), #output, _> #call)
}

fn priority(rt: &TokenStream, priority: &Expr, span: Span) -> TokenStream {
    match priority {
        Expr::Path(path) if path.path.get_ident().is_some() => {
            let name = path.path.get_ident();
            quote_spanned!(span=> #rt::glue::Priority::#name)
        }
        number => quote_spanned!(span=> #rt::glue::Priority(#number)),
    }
}
