//! Attributes on the user's items: which are ours, which say when an item exists, and what the doc comment says.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Token};

/// One of our helper attributes, taken from an item.
pub struct Helper {
    pub name: String,
    pub meta: Meta,
    /// The `cfg`s of the `cfg_attr`s around it.
    pub cfgs: Vec<TokenStream>,
}

/// Takes our helper attributes out of a list, those inside `cfg_attr` too; all others stay as they were.
pub fn take(attrs: &mut Vec<Attribute>, ours: &[&str]) -> Vec<Helper> {
    let mut helpers = Vec::new();
    attrs.retain_mut(|attr| {
        if let Some(name) = name_of(&attr.meta, ours) {
            helpers.push(Helper { name, meta: attr.meta.clone(), cfgs: Vec::new() });
            return false;
        }
        match take_from_cfg_attr(&attr.meta, ours, &[], &mut helpers) {
            None => true,
            Some(rest) => {
                let keep = !rest.is_empty();
                if keep && let Meta::List(list) = &mut attr.meta {
                    list.tokens = rest;
                }
                keep
            }
        }
    });
    helpers
}

/// An item that could not be read, without our helper attributes: each would be an error of its own.
pub fn strip(tokens: TokenStream, ours: &[&str]) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut rest = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(pound)
                if pound.as_char() == '#' && tokens.next_if(|next| is_helper(next, ours)).is_some() => {}
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), strip(group.stream(), ours));
                inner.set_span(group.span());
                rest.extend([TokenTree::Group(inner)]);
            }
            token => rest.extend([token]),
        }
    }
    rest
}

fn is_helper(token: &TokenTree, ours: &[&str]) -> bool {
    let TokenTree::Group(group) = token else { return false };
    group.delimiter() == Delimiter::Bracket
        && matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(name)) if ours.iter().any(|our| name == our))
}

fn name_of(meta: &Meta, ours: &[&str]) -> Option<String> {
    let mut segments = meta.path().segments.iter().rev().map(|segment| segment.ident.to_string());
    let last = segments.next()?;
    // By its path it is the prelude's, whatever the runtime is called here, or that of the crate of macros.
    let is_ours = ours.contains(&last.as_str())
        && segments.next().is_none_or(|before| before == "prelude" || before.starts_with("helix"));
    is_ours.then_some(last)
}

/// What is left of a `cfg_attr` that holds helpers of ours; `None` when it holds none.
fn take_from_cfg_attr(
    meta: &Meta,
    ours: &[&str],
    outer: &[TokenStream],
    helpers: &mut Vec<Helper>,
) -> Option<TokenStream> {
    let Meta::List(list) = meta else { return None };
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    let parts = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(list.tokens.clone()).ok()?;
    let mut parts = parts.into_iter();
    let predicate = parts.next()?;
    let mut cfgs = outer.to_vec();
    cfgs.push(quote!(#[cfg(#predicate)]));
    let (mut rest, mut took) = (Vec::new(), false);
    for part in parts {
        if let Some(name) = name_of(&part, ours) {
            helpers.push(Helper { name, meta: part, cfgs: cfgs.clone() });
            took = true;
        } else if let Some(inner) = take_from_cfg_attr(&part, ours, &cfgs, helpers) {
            took = true;
            if !inner.is_empty() {
                rest.push(quote!(cfg_attr(#inner)));
            }
        } else {
            rest.push(part.to_token_stream());
        }
    }
    match (took, rest.is_empty()) {
        (false, _) => None,
        (true, true) => Some(TokenStream::new()),
        (true, false) => Some(quote!(#predicate, #(#rest),*)),
    }
}

/// The `cfg`s under which an item exists.
pub fn cfgs(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter(|attr| is_cfg(&attr.meta)).cloned().collect()
}

/// What must stand on whatever is made from an item: its `cfg`s, and the lints that it allows.
pub fn inherited(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter(|attr| is_cfg(&attr.meta) || attr.path().is_ident("allow")).cloned().collect()
}

/// `cfg(..)`, or a `cfg_attr` that adds nothing but `cfg`s.
fn is_cfg(meta: &Meta) -> bool {
    if meta.path().is_ident("cfg") {
        return true;
    }
    let Meta::List(list) = meta else { return false };
    list.path.is_ident("cfg_attr")
        && Punctuated::<Meta, Token![,]>::parse_terminated
            .parse2(list.tokens.clone())
            .is_ok_and(|parts| parts.len() > 1 && parts.iter().skip(1).all(is_cfg))
}

/// The first paragraph of a doc comment, on one line.
pub fn doc(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    let text: Vec<String> = lines.flat_map(|text| doc_lines(&text)).collect();
    let paragraph: Vec<&str> = text
        .iter()
        .map(String::as_str)
        .skip_while(|line| line.is_empty())
        .take_while(|line| !line.is_empty())
        .collect();
    paragraph.join(" ")
}

/// The lines of one doc attribute; those of a block comment without the stars at their beginning.
fn doc_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<&str> = text.split('\n').map(str::trim).collect();
    let (_, rest) = lines.split_at_mut(1);
    if rest.iter().all(|line| line.is_empty() || line.starts_with('*')) {
        for line in rest {
            *line = line.trim_start_matches('*').trim_start();
        }
    }
    lines.into_iter().map(str::to_owned).collect()
}

/// The tokens in an attribute's parentheses: `Ok(None)` for a bare attribute, an error for `= value` and for nothing
/// in the parentheses.
pub fn arguments(meta: &Meta, usage: &str) -> syn::Result<Option<TokenStream>> {
    let name = meta.path().to_token_stream();
    match meta {
        Meta::Path(_) => Ok(None),
        Meta::List(list) if list.tokens.is_empty() => {
            Err(syn::Error::new_spanned(meta, format!("empty `#[{name}()]`: {usage}")))
        }
        Meta::List(list) => Ok(Some(list.tokens.clone())),
        Meta::NameValue(_) => Err(syn::Error::new_spanned(meta, format!("`#[{name} = ..]` has no meaning: {usage}"))),
    }
}
