//! Collects what is wrong, so that all of it is reported in one run.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

/// One mistake, or several that belong together.
struct Found {
    /// The `cfg`s of the item it was found in: what is configured away is no mistake.
    cfgs: Vec<TokenStream>,
    error: syn::Error,
}

impl ToTokens for Found {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let cfgs = &self.cfgs;
        for error in self.error.clone() {
            let error = error.to_compile_error();
            tokens.extend(quote!(#(#cfgs)* #error));
        }
    }
}

/// Mistakes found so far. Dropping it unread is a bug of ours, and panics.
#[derive(Default)]
pub struct Errors {
    found: Vec<Found>,
    read: bool,
}

impl Errors {
    /// Adds one.
    pub fn push(&mut self, error: syn::Error) {
        self.found.push(Found { cfgs: Vec::new(), error });
    }

    /// Adds those found in an item that exists under `cfgs` only.
    pub fn push_under(&mut self, cfgs: &[TokenStream], mut others: Self) {
        others.read = true;
        for mut found in core::mem::take(&mut others.found) {
            found.cfgs.splice(..0, cfgs.iter().cloned());
            self.found.push(found);
        }
    }

    /// Adds one that covers all of `tokens`.
    pub fn at(&mut self, tokens: impl ToTokens, message: impl core::fmt::Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Takes the value, or adds the error.
    pub fn ok<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Takes the value that darling has read, or adds what it found wrong, each on its own token.
    pub fn ok_darling<T>(&mut self, result: darling::Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.push(error.into());
                None
            }
        }
    }

    /// Whether nothing was wrong.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The errors as items, after the tokens given.
    pub fn beside(mut self, mut tokens: TokenStream) -> TokenStream {
        self.read = true;
        for found in &self.found {
            found.to_tokens(&mut tokens);
        }
        tokens
    }

    /// The errors as an expression.
    pub fn into_expression(mut self) -> TokenStream {
        self.read = true;
        let errors = &self.found;
        quote!({ #(#errors)* ::core::panic!() })
    }

    /// There were none.
    pub fn finish(mut self) {
        self.read = true;
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        assert!(self.read || std::thread::panicking(), "errors were collected and not reported");
    }
}
