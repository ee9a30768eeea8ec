//! The items of an impl block or a trait, with the bodies of functions left as tokens.
//!
//! An item that cannot be read is passed on as it is: the compiler says what is wrong with it, and says it alone.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Signature, Token, Visibility};

/// One item of a block.
pub struct Item {
    pub attrs: Vec<Attribute>,
    /// The signature, if this is a function that could be read.
    pub signature: Option<Signature>,
    /// Everything behind the attributes.
    tokens: TokenStream,
}

impl ToTokens for Item {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for attr in &self.attrs {
            attr.to_tokens(tokens);
        }
        self.tokens.to_tokens(tokens);
    }
}

/// All items of a block.
pub struct Items {
    pub inner_attrs: Vec<Attribute>,
    pub items: Vec<Item>,
}

impl ToTokens for Items {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for attr in &self.inner_attrs {
            attr.to_tokens(tokens);
        }
        for item in &self.items {
            item.to_tokens(tokens);
        }
    }
}

impl Parse for Items {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        // What is no attribute stays where it is, for the compiler to tell.
        let inner_attrs = if input.fork().call(Attribute::parse_inner).is_ok() {
            input.call(Attribute::parse_inner)?
        } else {
            Vec::new()
        };
        let mut items = Vec::new();
        while !input.is_empty() {
            items.push(input.parse()?);
        }
        Ok(Self { inner_attrs, items })
    }
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        let attrs = match ahead.call(Attribute::parse_outer) {
            Ok(attrs) => {
                input.advance_to(&ahead);
                attrs
            }
            Err(_) => Vec::new(),
        };
        let ahead = input.fork();
        let Ok((signature, tokens)) = read_function(&ahead) else {
            let is_function = looks_like_function(&input.fork());
            return Ok(Self { attrs, signature: None, tokens: raw(input, is_function)? });
        };
        input.advance_to(&ahead);
        Ok(Self { attrs, signature: Some(signature), tokens })
    }
}

/// Passes over an item that is no function, or none that can be read.
fn raw(input: ParseStream<'_>, is_function: bool) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    let mut ended = false;
    while !ended && !input.is_empty() {
        let token: TokenTree = input.parse()?;
        ended = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => is_body(group) && (is_function || !begins_value(&tokens)),
            _ => false,
        };
        tokens.extend([token]);
    }
    Ok(tokens)
}

/// Whether a group is one in braces; `macro_rules` puts what `$body:block` has matched into a group of its own.
fn is_body(group: &Group) -> bool {
    match group.delimiter() {
        Delimiter::Brace => true,
        Delimiter::None => matches!(
            group.stream().into_iter().collect::<Vec<_>>().as_slice(),
            [TokenTree::Group(inner)] if is_body(inner)
        ),
        _ => false,
    }
}

/// Whether an item that began like this goes on behind braces: `const X: T = { .. };`.
fn begins_value(tokens: &TokenStream) -> bool {
    tokens
        .clone()
        .into_iter()
        .any(|token| matches!(&token, TokenTree::Ident(ident) if ident == "const" || ident == "type"))
}

fn looks_like_function(input: ParseStream<'_>) -> bool {
    while !input.is_empty() && !input.peek(syn::token::Brace) && !input.peek(Token![;]) && !input.peek(Token![=]) {
        if input.peek(Token![fn]) {
            return true;
        }
        if input.parse::<TokenTree>().is_err() {
            break;
        }
    }
    false
}

/// Reads a function: its signature, and all of its tokens, of which the body is one.
fn read_function(input: ParseStream<'_>) -> syn::Result<(Signature, TokenStream)> {
    let vis: Visibility = input.parse()?;
    let default: Option<Token![default]> = input.parse()?;
    let signature: Signature = input.parse()?;
    if !input.peek(syn::token::Brace) && !input.peek(Token![;]) {
        return Err(input.error("expected a body"));
    }
    let body: TokenTree = input.parse()?;
    let tokens = quote!(#vis #default #signature #body);
    Ok((signature, tokens))
}
