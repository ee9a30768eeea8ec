//! The attributes of Helix. A thin shim: all of it is in `helix-macros-backend`. Use them through `helix_runtime`.

use helix_macros_backend as backend;
use proc_macro::TokenStream;

/// Makes a struct a module.
///
/// Options: `name`, `version`, `description`, `author`, `license`, `kind`, `flags`, `provides`, `dependencies`,
/// `features`, `permissions`, `stateless`, `new`, `crate`. Fields may carry `#[config]` or `#[config(default = ..)]`.
#[proc_macro_attribute]
pub fn helix_module(args: TokenStream, item: TokenStream) -> TokenStream {
    backend::module(args.into(), item.into()).into()
}

/// Makes the methods of an impl block a module's handlers: `on_init`, `on_start`, `on_stop`, `on_health`, `on_event`,
/// `on_request`, `on_save`, `on_restore`.
#[proc_macro_attribute]
pub fn helix_handlers(args: TokenStream, item: TokenStream) -> TokenStream {
    backend::handlers(args.into(), item.into()).into()
}

/// Makes a trait a contract, and a client beside it.
#[proc_macro_attribute]
pub fn helix_service(args: TokenStream, item: TokenStream) -> TokenStream {
    backend::service(args.into(), item.into()).into()
}

/// Makes a type travel: derives its codec and its schema.
#[proc_macro_attribute]
pub fn helix_message(args: TokenStream, item: TokenStream) -> TokenStream {
    backend::message(args.into(), item.into()).into()
}

/// Makes a message an event: `#[event(topic = "..", name = "..")]`, by default the type's name in kebab-case.
#[proc_macro_derive(EventType, attributes(event))]
pub fn event_type(item: TokenStream) -> TokenStream {
    backend::event_type(item.into()).into()
}

/// Gathers modules; `helix_runtime::modules!` calls it with the path of the runtime.
#[doc(hidden)]
#[proc_macro]
pub fn modules(list: TokenStream) -> TokenStream {
    backend::modules(list.into()).into()
}

/// Attributes that mean something in a handlers block only; elsewhere they say so.
macro_rules! only_in_handlers {
    ($($name:ident)*) => { $(
        /// Marks a handler inside an impl block under `#[helix_handlers]`.
        #[proc_macro_attribute]
        pub fn $name(args: TokenStream, item: TokenStream) -> TokenStream {
            backend::outside_handlers(stringify!($name), args.into(), item.into()).into()
        }
    )* };
}

only_in_handlers! { on_init on_start on_stop on_health on_event on_request on_save on_restore }
