//! Collects what is wrong, so that all of it is reported in one run.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// Mistakes found so far. Dropping it unread is a bug of ours, and panics.
#[derive(Default)]
pub struct Errors {
    found: Option<syn::Error>,
    read: bool,
}

impl Errors {
    /// Adds one.
    pub fn push(&mut self, error: syn::Error) {
        match &mut self.found {
            Some(found) => found.combine(error),
            None => self.found = Some(error),
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

    /// Whether nothing was wrong.
    pub fn is_empty(&self) -> bool {
        self.found.is_none()
    }

    /// The errors as items, after the tokens given.
    ///
    /// They stand in a block of their own: beside a `compile_error!` the compiler keeps quiet about names that it cannot
    /// find, and a misspelt event would only be told in the next run.
    pub fn beside(mut self, mut tokens: TokenStream) -> TokenStream {
        self.read = true;
        if let Some(found) = &self.found {
            let errors = found.to_compile_error();
            tokens.extend(quote::quote_spanned!(Span::mixed_site()=> const _: () = { #errors };));
        }
        tokens
    }

    /// The errors where a constant may not stand, after the tokens given.
    pub fn beside_bare(mut self, mut tokens: TokenStream) -> TokenStream {
        self.read = true;
        tokens.extend(self.found.as_ref().map(syn::Error::to_compile_error));
        tokens
    }

    /// The errors as statements before an expression.
    pub fn before(mut self, expression: &TokenStream) -> TokenStream {
        self.read = true;
        let errors = self.found.as_ref().map(syn::Error::to_compile_error);
        quote::quote!({ #errors #expression })
    }

    /// The value, if there were none.
    pub fn into_result<T>(mut self, value: T) -> syn::Result<T> {
        self.read = true;
        self.found.take().map_or(Ok(value), Err)
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        assert!(self.read || std::thread::panicking(), "errors were collected and not reported");
    }
}
