//! A method that the runtime is to call: what it takes and gives, and what of that cannot be.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, format_ident};
use syn::{FnArg, Pat, ReceiverKind, ReturnType, Safety, Signature, Type, parse_quote_spanned};

use super::attributes;
use crate::errors::Errors;
use crate::model::{Argument, Method};
use crate::types;

/// Reads a signature that is to be called by the runtime.
pub fn method(signature: &Signature, doc: String, errors: &mut Errors) -> Option<Method> {
    let mut fine = true;
    let mut refuse = |tokens: &dyn ToTokens, message: &str| {
        errors.at(tokens.to_token_stream(), message);
        fine = false;
    };
    if let Some(token) = &signature.asyncness {
        refuse(token, "a handler cannot be `async`: return at once, and publish an event when there is more to say");
    }
    if let Safety::Unsafe(token) = &signature.safety {
        refuse(token, "a handler cannot be `unsafe`, for anyone may call it: remove `unsafe`");
    }
    if !signature.generics.params.is_empty() {
        refuse(
            &signature.generics,
            "a handler cannot be generic: its types are part of its table; leave lifetimes out, they are elided",
        );
    }
    if let Some(variadic) = &signature.variadic {
        refuse(variadic, "a handler cannot be variadic: take a `Vec`");
    }
    let mut exclusive = false;
    match signature.receiver().map(|receiver| (&receiver.kind, receiver)) {
        None => refuse(&signature.ident, "a handler belongs to its module: take `&self` or `&mut self` first"),
        Some((ReceiverKind::Reference(_, _, mutability), _)) => exclusive = mutability.is_some(),
        Some((ReceiverKind::Typed(_, ty), _)) if matches!(&**ty, Type::Reference(_)) => {
            exclusive = matches!(&**ty, Type::Reference(reference) if reference.mutability.is_some());
        }
        Some((_, receiver)) => {
            refuse(receiver, "a handler cannot take `self` by value: the module lives on; take `&self` or `&mut self`");
        }
    }
    let typed: Vec<_> = signature
        .inputs
        .iter()
        .filter_map(|input| match input {
            FnArg::Typed(typed) => Some(typed),
            FnArg::Receiver(_) => None,
        })
        .collect();
    let takes_context = typed.last().is_some_and(|last| types::is_context(&last.ty));
    if let Some(Type::Reference(context)) =
        typed.last().filter(|_| takes_context).map(|last| types::ungrouped(&last.ty))
        && context.mutability.is_some()
    {
        refuse(context, "the context is shared: take `&Context`");
    }
    let mut args = Vec::new();
    for (at, typed) in typed[..typed.len() - usize::from(takes_context)].iter().enumerate() {
        let name = match &*typed.pat {
            Pat::Ident(pat) => pat.ident.clone(),
            _ => format_ident!("arg{at}"),
        };
        if let Some(cfg) = attributes::cfgs(&typed.attrs).first() {
            refuse(cfg, "a parameter of a handler cannot come and go: put the `cfg` on two methods");
        }
        if types::is_context(&typed.ty) {
            refuse(&typed.ty, "`&Context` is the last parameter: move it behind the others");
        }
        args.push(Argument { name, ty: types::ungrouped(&typed.ty).clone() });
    }
    let output = match &signature.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(types::ungrouped(ty).clone()),
    };
    if let Some(ty) = &output
        && any_token(ty.to_token_stream(), |token| matches!(token, TokenTree::Ident(ident) if ident == "impl"))
    {
        refuse(ty, "`impl Trait` has no name that the table of handlers could hold: name the type");
    }
    fine.then(|| Method { ident: signature.ident.clone(), exclusive, args, takes_context, output, doc })
}

/// Puts arguments into their `'static` form; refuses what cannot be passed.
pub fn static_arguments(args: &mut [Argument], errors: &mut Errors) -> bool {
    let mut fine = true;
    for arg in args {
        match &arg.ty {
            Type::Reference(reference) if types::is_borrowed(&reference.elem) && reference.mutability.is_none() => {
                let elem = &reference.elem;
                arg.ty = parse_quote_spanned!(reference.and_token.span=> &'static #elem);
            }
            ty => {
                if let Some(reason) = cannot_travel(ty) {
                    errors.at(ty, reason);
                    fine = false;
                }
            }
        }
    }
    fine
}

fn cannot_travel(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::Reference(reference) if reference.mutability.is_some() => {
            Some("`&mut` cannot travel: take the value, and return what changes")
        }
        Type::Reference(_) => Some("only `&str` and `&[u8]` can be lent: take this by value"),
        Type::ImplTrait(_) => Some("`impl Trait` has no schema: name the type"),
        Type::Ptr(_) => Some("a pointer cannot travel: take what it points to"),
        ty if has_reference(ty.to_token_stream()) => {
            Some("only `&str` and `&[u8]` themselves can be lent: own what is inside")
        }
        _ => None,
    }
}

/// Refuses what a caller elsewhere could not be given.
pub fn owned_reply(output: Option<&Type>, errors: &mut Errors) -> bool {
    let lent = output.filter(|ty| has_reference(ty.to_token_stream()));
    if let Some(ty) = lent {
        errors.at(ty, "what travels is owned: return `String` or `Vec` instead of a reference");
    }
    lent.is_none()
}

fn has_reference(tokens: TokenStream) -> bool {
    any_token(tokens, |token| matches!(token, TokenTree::Punct(punct) if matches!(punct.as_char(), '&' | '\'')))
}

fn any_token(tokens: TokenStream, is: fn(&TokenTree) -> bool) -> bool {
    tokens.into_iter().any(|token| match &token {
        TokenTree::Group(group) => any_token(group.stream(), is),
        token => is(token),
    })
}
