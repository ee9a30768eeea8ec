//! From tokens to the model. Nothing is expanded here, and nothing is judged that needs more than one attribute.

mod attributes;
mod handlers;
mod items;
mod message;
mod method;
mod module;
mod modules;
mod options;
mod service;

pub use handlers::handlers;
pub use message::{event, message};
pub use module::module;
pub use modules::modules;
pub use service::service;

use proc_macro2::{Span, TokenStream};
use syn::{Path, parse_quote_spanned};

/// An item that could not be read, without our helper attributes.
pub fn without_helpers(item: TokenStream) -> TokenStream {
    attributes::strip(attributes::strip(item, handlers::HELPERS), module::HELPERS)
}

/// Where the runtime is, unless `crate = path` says otherwise.
fn default_runtime() -> Path {
    parse_quote_spanned!(Span::mixed_site()=> ::helix_runtime)
}
