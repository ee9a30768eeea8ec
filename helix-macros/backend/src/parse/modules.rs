//! The list of `modules![..]`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Token, Type, bracketed};

use super::{default_runtime, options};
use crate::errors::Errors;
use crate::model::Modules;

/// Reads `[runtime] a::A, b::B, ..`.
pub fn modules(list: TokenStream, errors: &mut Errors) -> Modules {
    let mut modules = Modules { runtime: default_runtime().into_token_stream(), members: Vec::new(), open: false };
    let parser = |input: ParseStream<'_>| {
        let runtime;
        bracketed!(runtime in input);
        modules.runtime = runtime.parse()?;
        modules.members =
            options::items(input, |input| member(input, &mut modules.open))?.into_iter().flatten().collect();
        Ok(())
    };
    errors.ok(parser.parse2(list));
    modules
}

/// One member, or the `..` that ends the list.
fn member(input: ParseStream<'_>, open: &mut bool) -> syn::Result<Option<Type>> {
    if input.peek(Token![..]) {
        let dots = input.parse::<Token![..]>()?;
        *open = true;
        return if input.is_empty() {
            Ok(None)
        } else {
            Err(syn::Error::new_spanned(dots, "`..` ends the list: move it behind the last module"))
        };
    }
    if input.peek(Token![#]) {
        let attrs = input.call(Attribute::parse_outer)?;
        return Err(syn::Error::new_spanned(
            &attrs[0],
            "attributes cannot stand here: put the `cfg` on the whole list",
        ));
    }
    input.parse::<Type>().map(Some).map_err(|error| {
        syn::Error::new(error.span(), "expected a module's type, such as `timer::Timer`, or `..` at the end")
    })
}
