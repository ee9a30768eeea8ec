//! From the model to tokens: trait impls with associated consts. What is not a name or a number is in the runtime.
//!
//! Paths begin at the root. Every token of ours has a span of definition-site hygiene, located where the user wrote
//! what it stands for, so that the compiler points there and takes none of our names for the user's.

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

use proc_macro2::{Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// A span at a place of the user's, with our hygiene.
fn at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}

/// The runtime's path, begun at a place of the user's: an error in what it is part of is shown there, and one in the
/// path itself where it was given.
fn located(runtime: &impl ToTokens, span: Span) -> TokenStream {
    let mut begun = false;
    let place = |mut token: TokenTree| {
        if !begun {
            token.set_span(token.span().located_at(span));
        }
        begun |= !matches!(&token, TokenTree::Punct(colon) if colon.spacing() == Spacing::Joint);
        token
    };
    runtime.to_token_stream().into_iter().map(place).collect()
}

/// The start of what the user wrote; a path's own span covers its first token.
fn span_of(tokens: &impl ToTokens) -> Span {
    ends_of(tokens).0
}

/// The first and the last token of what the user wrote.
fn ends_of(tokens: &impl ToTokens) -> (Span, Span) {
    let mut tokens = tokens.to_token_stream().into_iter().map(|token| at(token.span()));
    let begin = tokens.next().unwrap_or_else(|| at(Span::call_site()));
    (begin, tokens.last().unwrap_or(begin))
}
