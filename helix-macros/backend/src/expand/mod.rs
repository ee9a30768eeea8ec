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
use quote::{ToTokens, quote_spanned};
use syn::{GenericArgument, PathArguments, PathSegment, Type, TypePath};

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

/// The bounds that a type travels, each shown at its part of the type when it does not. An impl under such bounds takes
/// them for granted inside, so that the mistake is told once. What is sure to travel needs none.
fn travels(runtime: &impl ToTokens, ty: &Type) -> Vec<TokenStream> {
    const SURE: &[&str] =
        &["bool", "u8", "u16", "u32", "u64", "u128", "i8", "i16", "i32", "i64", "i128", "f32", "f64", "char", "String"];
    const HOLDERS: &[&str] = &["Vec", "Option", "Result", "BTreeMap", "BTreeSet"];
    let inner: Vec<&Type> = match ty {
        Type::Path(path) if path.path.get_ident().is_some_and(|ident| SURE.iter().any(|sure| ident == sure)) => {
            return Vec::new();
        }
        Type::Path(TypePath { path, .. }) => match path.segments.last() {
            Some(PathSegment { ident, arguments: PathArguments::AngleBracketed(held) })
                if HOLDERS.iter().any(|holder| ident == holder) =>
            {
                let types = held.args.iter().filter_map(|arg| match arg {
                    GenericArgument::Type(ty) => Some(ty),
                    _ => None,
                });
                types.collect()
            }
            _ => Vec::new(),
        },
        Type::Tuple(tuple) if tuple.elems.is_empty() => return Vec::new(),
        Type::Tuple(tuple) => tuple.elems.iter().collect(),
        Type::Array(array) => vec![&array.elem],
        Type::Reference(_) => return Vec::new(),
        _ => Vec::new(),
    };
    if !inner.is_empty() {
        return inner.into_iter().flat_map(|ty| travels(runtime, ty)).collect();
    }
    let span = span_of(ty);
    let rt = located(runtime, span);
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
