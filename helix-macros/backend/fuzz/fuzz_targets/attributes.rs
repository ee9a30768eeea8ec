//! Bytes as the arguments and the item of every attribute: none may panic.
//!
//! The text before the first line that is `---` are the arguments, the rest is the item.
//! `cargo +nightly fuzz run attributes` in `helix-macros/backend`.
#![no_main]

use std::str::FromStr;

use helix_macros_backend as backend;
use libfuzzer_sys::{Corpus, fuzz_target};
use proc_macro2::TokenStream;
use quote::quote;

fuzz_target!(|text: &str| -> Corpus {
    let (args, item) = text.split_once("\n---\n").unwrap_or(("", text));
    let (Ok(args), Ok(item)) = (TokenStream::from_str(args), TokenStream::from_str(item)) else {
        return Corpus::Reject;
    };
    for attribute in [backend::module, backend::handlers, backend::service, backend::message] {
        attribute(args.clone(), item.clone());
    }
    backend::event_type(item.clone());
    backend::modules(quote!([::helix_runtime] #args));
    backend::outside_handlers("on_event", args, item);
    Corpus::Keep
});
