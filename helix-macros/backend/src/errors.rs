//! Collects what is wrong, so that all of it is reported in one run.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

/// One mistake, or several that belong together.
struct Found {
    /// The `cfg`s of the item it was found in: what is configured away is no mistake.
    cfgs: Vec<TokenStream>,
    error: syn::Error,
}

impl ToTokens for Found {
    /// An item whose body is the error: beside a bare `compile_error!` the compiler keeps quiet about names that it
    /// cannot find, and a misspelt event would only be told in the next run.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let cfgs = &self.cfgs;
        let error = self.error.to_compile_error();
        tokens.extend(quote_spanned!(Span::mixed_site()=> #(#cfgs)* const _: () = { #error };));
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

    /// Whether something is wrong whatever is configured.
    pub fn any_certain(&self) -> bool {
        self.found.iter().any(|found| found.cfgs.is_empty())
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

    /// The errors where a constant may not stand, after the tokens given.
    pub fn beside_bare(mut self, mut tokens: TokenStream) -> TokenStream {
        self.read = true;
        tokens.extend(self.found.iter().map(|found| found.error.to_compile_error()));
        tokens
    }

    /// The errors as statements before an expression.
    pub fn before(mut self, expression: TokenStream) -> TokenStream {
        self.read = true;
        if self.found.is_empty() {
            return expression;
        }
        let errors = &self.found;
        quote!({ #(#errors)* #expression })
    }

    /// The value, if there were none.
    pub fn into_result<T>(mut self, value: T) -> syn::Result<T> {
        self.read = true;
        let all = core::mem::take(&mut self.found).into_iter().map(|found| found.error);
        let all = all.reduce(|mut first, other| {
            first.combine(other);
            first
        });
        all.map_or(Ok(value), Err)
    }

    /// They were told elsewhere, or there are none.
    pub fn finish(mut self) {
        self.read = true;
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        assert!(self.read || std::thread::panicking(), "errors were collected and not reported");
    }
}
