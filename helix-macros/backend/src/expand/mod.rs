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

use proc_macro2::{Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::Type;

use crate::types;

/// A span at a place of the user's, with our hygiene.
fn at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}

/// The path of the runtime, begun at that place: an error about what begins with it is shown there, not at the whole
/// attribute, and one in the path itself where it was given.
fn runtime_at(runtime: &impl ToTokens, place: Span) -> TokenStream {
    let mut begun = false;
    let move_begin = |mut token: TokenTree| {
        if !begun {
            token.set_span(token.span().located_at(place));
        }
        begun |= !matches!(&token, TokenTree::Punct(colon) if colon.spacing() == Spacing::Joint);
        token
    };
    runtime.to_token_stream().into_iter().map(move_begin).collect()
}

/// The bounds that a type travels, each shown at its part of the type when it does not. An impl under such bounds takes
/// them for granted inside, so that the mistake is told once. What is sure to travel needs none.
fn travels(runtime: &impl ToTokens, ty: &Type) -> Vec<TokenStream> {
    let ty = types::ungrouped(ty);
    if types::surely_travels(ty) {
        return Vec::new();
    }
    let inner = types::held(ty);
    if !inner.is_empty() {
        return inner.into_iter().flat_map(|ty| travels(runtime, ty)).collect();
    }
    let span = span_of(ty);
    let rt = runtime_at(runtime, span);
    vec![quote_spanned!(span=> #ty: #rt::Message)]
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
