//! The list of `modules![..]`.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::{Token, Type, bracketed};

use crate::errors::Errors;
use crate::model::Modules;

/// Reads `[runtime] a::A, b::B, ..`.
pub fn modules(list: TokenStream, errors: &mut Errors) -> Option<Modules> {
    errors.ok(read.parse2(list))
}

fn read(input: ParseStream<'_>) -> syn::Result<Modules> {
    let runtime;
    bracketed!(runtime in input);
    let mut list = Modules { runtime: runtime.parse()?, members: Vec::new(), open: false };
    while !input.is_empty() {
        if input.peek(Token![..]) {
            input.parse::<Token![..]>()?;
            list.open = true;
            if !input.is_empty() {
                return Err(input.error("`..` ends the list"));
            }
            break;
        }
        if input.peek(Token![#]) {
            return Err(input.error("attributes cannot stand here: put the `cfg` on the whole list"));
        }
        list.members.push(input.parse::<Type>().map_err(|error| {
            syn::Error::new(error.span(), "expected a module's type, such as `timer::Timer`, or `..` at the end")
        })?);
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(list)
}
