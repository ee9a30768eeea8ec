//! Options in an attribute's parentheses: `name = value, flag, list(..)`, each read by itself, so that one mistake
//! does not hide the next.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Ident, LitStr, Token, bracketed};

use crate::errors::Errors;
use crate::names;

/// Reads options one after the other with `read`, which takes the name and what follows it.
///
/// After a mistake reading goes on behind the next comma.
pub fn read(
    args: TokenStream,
    known: &[&str],
    errors: &mut Errors,
    mut read: impl FnMut(&Ident, ParseStream<'_>) -> syn::Result<()>,
) {
    let mut seen: Vec<Ident> = Vec::new();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            if let Err(error) = option(input, known, &mut seen, &mut read) {
                errors.push(error);
                skip(input);
            }
            if input.is_empty() {
                break;
            }
            if let Err(error) = input.parse::<Token![,]>() {
                errors.push(error);
                skip(input);
                let _ = input.parse::<Token![,]>();
            }
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(args) {
        errors.push(error);
    }
}

fn option(
    input: ParseStream<'_>,
    known: &[&str],
    seen: &mut Vec<Ident>,
    read: &mut impl FnMut(&Ident, ParseStream<'_>) -> syn::Result<()>,
) -> syn::Result<()> {
    let name = input.call(Ident::parse_any).map_err(|error| {
        let expected = match known {
            [only] => format!("expected `{only} = ..`"),
            known => format!("expected an option: {}", known.join(", ")),
        };
        syn::Error::new(error.span(), expected)
    })?;
    let text = name.to_string();
    if !known.contains(&text.as_str()) {
        return Err(syn::Error::new(name.span(), names::unknown("option", &text, known)));
    }
    once(&name, seen)?;
    read(&name, input)
}

/// Notes an option as seen; an error when it was seen before.
pub fn once(name: &Ident, seen: &mut Vec<Ident>) -> syn::Result<()> {
    if let Some(first) = seen.iter().find(|first| *first == name) {
        let mut error = syn::Error::new(name.span(), format!("option `{name}` is given twice: keep one"));
        error.combine(syn::Error::new(first.span(), format!("option `{name}` is first given here")));
        return Err(error);
    }
    seen.push(name.clone());
    Ok(())
}

/// Passes over what is left of an option or an item.
fn skip(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _ = input.parse::<TokenTree>();
    }
}

/// `= value`.
pub fn value<T: Parse>(name: &Ident, input: ParseStream<'_>, expected: &str) -> syn::Result<T> {
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(name.span(), format!("`{name}` takes a value: write `{name} = {expected}`")));
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() {
        return Err(syn::Error::new(name.span(), format!("`{name}` takes a value: write `{name} = {expected}`")));
    }
    let found = input.span();
    input.parse().map_err(|_| syn::Error::new(found, format!("wrong value for `{name}`: write `{name} = {expected}`")))
}

/// `= "text"`, a name by the rule for names.
pub fn name(option: &Ident, input: ParseStream<'_>) -> syn::Result<LitStr> {
    let name: LitStr = value(option, input, "\"..\"")?;
    checked_name(name)
}

pub fn checked_name(name: LitStr) -> syn::Result<LitStr> {
    if names::is_name(&name.value()) {
        Ok(name)
    } else {
        Err(syn::Error::new(name.span(), format!("bad name {:?}: {}", name.value(), names::RULE)))
    }
}

/// `= [item, ..]`.
pub fn list<T: Parse>(name: &Ident, input: ParseStream<'_>, expected: &str) -> syn::Result<Vec<T>> {
    let error = || syn::Error::new(name.span(), format!("`{name}` takes a list: write `{name} = [{expected}]`"));
    if !input.peek(Token![=]) {
        return Err(error());
    }
    input.parse::<Token![=]>()?;
    if !input.peek(syn::token::Bracket) {
        let span = if input.is_empty() { name.span() } else { input.span() };
        return Err(syn::Error::new(span, error()));
    }
    let content;
    bracketed!(content in input);
    items(&content, |input| {
        input.parse().map_err(|error| syn::Error::new(error.span(), format!("{error}: write `{name} = [{expected}]`")))
    })
}

/// Items with commas between them, to the end. After a mistake reading goes on behind the next comma.
pub fn items<T>(
    input: ParseStream<'_>,
    mut read: impl FnMut(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<Vec<T>> {
    let (mut items, mut wrong) = (Vec::new(), Errors::default());
    while !input.is_empty() {
        match read(input) {
            Ok(item) => items.push(item),
            Err(error) => {
                wrong.push(error);
                skip(input);
            }
        }
        if !input.is_empty()
            && let Err(error) = input.parse::<Token![,]>()
        {
            wrong.push(error);
            skip(input);
            let _ = input.parse::<Token![,]>();
        }
    }
    wrong.into_result(items)
}

/// Names in a list, each by the rule for names, none twice.
pub fn names(name: &Ident, input: ParseStream<'_>) -> syn::Result<Vec<LitStr>> {
    let list: Vec<LitStr> = list(name, input, "\"..\"")?;
    for (at, item) in list.iter().enumerate() {
        checked_name(item.clone())?;
        if list[..at].iter().any(|before| before.value() == item.value()) {
            return Err(syn::Error::new(item.span(), format!("{:?} is listed twice: keep one", item.value())));
        }
    }
    Ok(list)
}
