//! How much a handler adds to what the compiler reads: at most 200 bytes of tokens.
#![allow(missing_docs)]

use std::fmt::Write;

use helix_macros_backend as backend;
use proc_macro2::{Delimiter, TokenStream, TokenTree};

const HANDLERS: usize = 100;

/// The tokens' own lengths: blanks between them are nobody's.
fn size(tokens: TokenStream) -> usize {
    let lengths = tokens.into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let brackets = if group.delimiter() == Delimiter::None { 0 } else { 2 };
            brackets + size(group.stream())
        }
        token => token.to_string().len(),
    });
    lengths.sum()
}

/// The bytes that the expansion adds to the user's own item, for each handler.
fn bytes_each(handler: impl Fn(usize) -> String) -> usize {
    let (mut with, mut without) = (String::from("impl Module {"), String::from("impl Module {"));
    for at in 0..HANDLERS {
        let method = handler(at);
        with += &method;
        let (_, plain) = method.split_once(']').expect("an attribute");
        write!(without, "{plain}").unwrap();
    }
    let item: TokenStream = (with + "}").parse().unwrap();
    let plain: TokenStream = (without + "}").parse().unwrap();
    let expanded = backend::handlers(TokenStream::new(), item);
    (size(expanded) - size(plain)) / HANDLERS
}

#[test]
fn an_event_handler_adds_at_most_200_bytes() {
    let bytes =
        bytes_each(|at| format!("#[on_event(Tick, priority = HIGH)] fn handler_{at}(&mut self, tick: &Tick) {{}}"));
    println!("event handler: {bytes} bytes");
    assert!(bytes <= 200, "{bytes}");
}

#[test]
fn a_request_adds_at_most_200_bytes() {
    let bytes = bytes_each(|at| {
        format!(
            "#[on_request] fn request_{at}(&mut self, ms: u64, strict: bool) -> Result<u64, ModuleError> {{ Ok(ms) }}"
        )
    });
    println!("request: {bytes} bytes");
    assert!(bytes <= 200, "{bytes}");
}
