//! From the model to tokens: trait impls with associated consts. What is not a name or a number is in the runtime.
//!
//! Paths begin at the root. Every token of ours has a span of definition-site hygiene, located where the user wrote
//! what it stands for, so that the compiler points there and takes none of our names for the user's. A pattern is
//! looked up as an item first, in the user's scope, and hygiene does not help: what our closures take is called `__m`.

mod handlers;
mod message;
mod module;
mod modules;
mod service;

pub use handlers::handlers;
pub use message::{event, message};
pub use module::module;
pub use modules::modules;
pub use service::service;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// A span at a place of the user's, with our hygiene.
fn at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}

/// The path of the runtime, as if it stood at that place: an error about what begins with it is shown there, not at the
/// whole attribute.
fn runtime_at(runtime: &impl ToTokens, place: Span) -> TokenStream {
    let moved = runtime.to_token_stream().into_iter().map(|mut token| {
        token.set_span(token.span().located_at(place));
        token
    });
    moved.collect()
}

/// The start of what the user wrote; a path's own span covers its first token.
fn span_of(tokens: &impl ToTokens) -> Span {
    at(tokens.to_token_stream().into_iter().next().map_or_else(Span::call_site, |token| token.span()))
}
