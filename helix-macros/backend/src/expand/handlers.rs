//! `impl Handlers`: one entry for each handler attribute, in source order.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Expr, Ident, Lit, Path, Type};

use super::{at, ends_of, located, span_of};
use crate::model::{Handler, HandlerKind, Handlers, Heard, Method};

pub fn handlers(model: &Handlers) -> TokenStream {
    let Handlers { runtime, self_ty, generics, where_clause, cfgs, handlers, sound } = model;
    let sound = (!sound).then(|| quote_spanned!(span_of(self_ty)=> const SOUND: ::core::primitive::bool = false;));
    let span = span_of(self_ty);
    let rt = &located(runtime, span);
    let entries = handlers.iter().map(|handler| entry(runtime, handler));
    let (impl_generics, _, _) = generics.split_for_impl();
    let where_clause = if generics.params.is_empty() {
        quote!(#where_clause)
    } else {
        let predicates = where_clause.iter().flat_map(|clause| &clause.predicates);
        quote!(where #(#predicates,)* Self: 'static)
    };
    quote_spanned! {span=>
        #(#cfgs)*
        #[automatically_derived]
        impl #impl_generics #rt::Handlers for #self_ty #where_clause {
            const HANDLERS: &'static [#rt::glue::Handler<Self>] = &[#(#entries),*];
            #sound
        }
    }
}

fn entry(runtime: &Path, handler: &Handler) -> TokenStream {
    let Handler { span, cfgs, method, kind } = handler;
    let span = at(*span);
    let rt = &located(runtime, span);
    let output = |by: &str| output(runtime, method, by, span);
    let constructor = |name: &str| constructor(name, method.exclusive, span);
    let entry = match kind {
        HandlerKind::Step(step) => {
            let new = constructor("step");
            let step = Ident::new(step, span);
            let (run, output) = (call(method, &[], span), output("StepReturn"));
            quote_spanned!(span=> #new::<#output, _>(#rt::glue::Step::#step, #run))
        }
        HandlerKind::Health => {
            let new = constructor("health");
            let run = call(method, &[], span);
            quote_spanned!(span=> #new(#run))
        }
        HandlerKind::Event { heard, priority } => {
            let priority = self::priority(rt, priority.as_ref(), span);
            let event = Ident::new("e", span);
            let (run, output) = (call(method, &[quote!(#event)], span), output("EventReturn"));
            let view = match method.args.first().map(|arg| &arg.ty) {
                Some(Type::Reference(taken)) => taken.elem.to_token_stream(),
                _ => quote_spanned!(span=> ()),
            };
            match heard {
                Heard::Type(ty) => {
                    let new = constructor("event");
                    let ty = itself(runtime, ty, &quote_spanned!(span=> HeardAs<#view>));
                    quote_spanned!(span=> #new::<#ty, #view, #output, _>(#priority, #run))
                }
                Heard::Name(name) => {
                    let new = constructor("named");
                    quote_spanned!(span=> #new::<#view, #output, _>(#name, #priority, #run))
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
                let argument = Ident::new("r", span);
                let run = call(method, &[quote!(#argument)], span);
                quote_spanned!(span=> #new(#name, #run))
            } else {
                let this = quote_spanned!(span=> Self);
                request(runtime, method, &name.value(), span, &this, &this)
            };
            quote!(#request #doc #permission)
        }
        HandlerKind::Save { version } => {
            let new = constructor("save");
            let (run, output) = (call(method, &[], span), output("Return"));
            quote_spanned!(span=> #new::<#output, _>(#version, #run))
        }
        HandlerKind::Restore { version } => {
            let new = constructor("restore");
            let state = Ident::new("s", span);
            let (run, output) = (call(method, &[quote!(#state)], span), output("StepReturn"));
            let taken = method.args.iter().map(|arg| &arg.ty);
            quote_spanned!(span=> #new::<#(#taken)*, #output, _>(#version, #run))
        }
    };
    let begin = match kind {
        HandlerKind::Request { raw: false, .. } => arguments(method, span).0,
        _ => span,
    };
    let rt = located(runtime, begin);
    quote_spanned!(span=> #(#cfgs)* #rt::glue::Handler::#entry)
}

/// What a method returns, said rather than inferred, as the trait for it knows it: a type that may not be returned is
/// then refused where it stands.
fn output(runtime: &impl ToTokens, method: &Method, by: &str, span: Span) -> TokenStream {
    match &method.output {
        Some(ty) => itself(runtime, ty, &Ident::new(by, span)),
        None => quote_spanned!(span=> ()),
    }
}

/// `<Type as Trait>::Itself`, whose ends are those of the type to the letter: the compiler then tells a mistake once, and
/// shows nothing of ours.
fn itself(runtime: &impl ToTokens, ty: &impl ToTokens, by: &impl ToTokens) -> TokenStream {
    let (begin, _) = ends_of(ty);
    let rt = located(runtime, begin);
    let mut tokens = ty.to_token_stream().into_iter().map(|token| token.span());
    let first = tokens.next().unwrap_or(begin);
    let itself = Ident::new("Itself", tokens.last().unwrap_or(first));
    let open = quote_spanned!(first=> <);
    quote_spanned!(begin=> #open #ty as #rt::glue::#by>::#itself)
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
    quote_spanned!(span=> |m: #module #(, #params)*, #context| Self::#name(m #(, #passed)* #pass_context))
}

fn receiver(exclusive: bool, span: Span, ty: &TokenStream) -> TokenStream {
    if exclusive { quote_spanned!(span=> &mut #ty) } else { quote_spanned!(span=> &#ty) }
}

fn context(method: &Method, span: Span) -> (TokenStream, TokenStream) {
    if method.takes_context {
        (quote_spanned!(span=> c), quote_spanned!(span=> , c))
    } else {
        (quote_spanned!(span=> _), TokenStream::new())
    }
}

/// Where a method's arguments begin and end. The call that names their types reaches from there to there, for that is
/// what the compiler shows when one of them cannot travel.
pub fn arguments(method: &Method, otherwise: Span) -> (Span, Span) {
    let types: Vec<_> = method.args.iter().map(|arg| &arg.ty).collect();
    if types.is_empty() { (otherwise, otherwise) } else { ends_of(&quote!(#(#types)*)) }
}

/// A typed request of `module`, whose method is `owner`'s: the module's own, or a contract's.
pub fn request(
    runtime: &impl ToTokens,
    method: &Method,
    name: &str,
    span: Span,
    module: &TokenStream,
    owner: &TokenStream,
) -> TokenStream {
    let (begin, end) = arguments(method, span);
    let new = constructor("request", method.exclusive, begin);
    let names = method.args.iter().map(|arg| &arg.name);
    let types = method.args.iter().map(|arg| &arg.ty);
    let args: Vec<Ident> = (0..method.args.len()).map(|at| format_ident!("a{at}", span = span)).collect();
    let method_name = &method.ident;
    let receiver = receiver(method.exclusive, span, module);
    let (context, pass_context) = context(method, span);
    let output = output(runtime, method, "Return", span);
    let values = quote_spanned!(span=> #name, &[#(#names),*], |m: #receiver, (#(#args,)*), #context| #owner::#method_name(m #(, #args)* #pass_context));
    let call = quote_spanned!(end=> (#values));
    quote_spanned!(begin=> #new::<(#(#types,)*), #output, _> #call)
}

fn priority(rt: &TokenStream, priority: Option<&Expr>, span: Span) -> TokenStream {
    match priority {
        None => quote_spanned!(span=> #rt::glue::Priority::NORMAL),
        Some(Expr::Path(path)) if path.path.get_ident().is_some() => {
            let name = path.path.get_ident();
            quote_spanned!(span=> #rt::glue::Priority::#name)
        }
        Some(Expr::Lit(lit)) if matches!(lit.lit, Lit::Int(_)) => quote_spanned!(span=> #rt::glue::Priority(#lit)),
        Some(other) => quote_spanned!(span=> #rt::glue::Priority(#other)),
    }
}
