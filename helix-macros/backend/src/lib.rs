//! The logic of Helix's attributes, as an ordinary library: tokens in, tokens out.
//!
//! Data flows one way. `parse` reads tokens into the types of `model` and collects what is wrong; `check` looks at a
//! model as a whole; `expand` turns it into tokens. The user's own items come back as they were, less the helper
//! attributes, on every path.

mod check;
mod errors;
mod expand;
mod model;
mod names;
mod parse;
mod types;

use errors::Errors;
use proc_macro2::TokenStream;

/// Expands `#[helix_module(args)] item`.
pub fn module(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some((item, model)) = parse::module(args, item.clone(), &mut errors) else {
        return errors.beside(parse::without_helpers(item));
    };
    check::module(&model, &mut errors);
    let expansion = expand::module(&model, errors.is_empty());
    errors.beside(join(item, expansion))
}

/// Expands `#[helix_handlers(args)] item`.
pub fn handlers(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some((item, mut model)) = parse::handlers(args, item.clone(), &mut errors) else {
        return errors.beside(parse::without_helpers(item));
    };
    check::handlers(&mut model, &mut errors);
    let expansion = expand::handlers(&model);
    errors.beside(join(item, expansion))
}

/// Expands `#[helix_service(args)] item`.
pub fn service(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some((item, model)) = parse::service(args, item.clone(), &mut errors) else {
        return errors.beside(item);
    };
    check::service(&model, &mut errors);
    let expansion = expand::service(&model);
    errors.beside(join(item, expansion))
}

/// Expands `#[helix_message(args)] item`.
pub fn message(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(model) = parse::message(args, item.clone(), &mut errors) else {
        return errors.beside(item);
    };
    let expansion = expand::message(&model);
    errors.beside(expansion)
}

/// Expands `#[derive(EventType)] item`.
pub fn event_type(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let expansion = parse::event(item, &mut errors).map(|model| expand::event(&model));
    errors.beside(expansion.unwrap_or_default())
}

/// Expands `modules![list]`, where `list` begins with the path of the runtime in brackets.
pub fn modules(list: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let model = parse::modules(list, &mut errors);
    let expansion = expand::modules(&model, errors.is_empty());
    errors.before(expansion)
}

/// What a handler attribute expands to where it is no handler.
pub fn outside_handlers(name: &str, _args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    // The attribute's place with the item's hygiene: the compiler then adds no remark about macros.
    let attribute = proc_macro2::Span::call_site();
    let span = item.clone().into_iter().next().map_or(attribute, |token| attribute.resolved_at(token.span()));
    errors.push(syn::Error::new(
        span,
        format!("`#[{name}]` outside a handlers block: put it on a method in an impl block under `#[helix_handlers]`"),
    ));
    errors.beside_bare(item)
}

fn join(mut first: TokenStream, second: TokenStream) -> TokenStream {
    first.extend(second);
    first
}
