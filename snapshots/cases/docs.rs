//! Doc comments of every kind.

use helix_runtime::prelude::*;
use helix_runtime::{Module, Runtime, modules};

/// Says "{quoted}" in {braces}, with a \ and a `tick`,
/// on two lines.
///
/// And in a paragraph of its own.
#[helix_module]
#[derive(Default)]
pub struct Line {
    /** A field "in" a block,
     *  on two lines. */
    #[config(default = "a \"b\" {c}\n\0")]
    text: String,
}

#[doc = "An attribute\0with\u{1b}escapes \"\\\"\nand a second line\n\nand a second paragraph"]
#[helix_module]
#[derive(Default)]
pub struct Escapes;

#[doc(hidden)]
#[doc = concat!("not", " a literal")]
#[helix_module]
#[derive(Default)]
pub struct Hidden;

#[helix_handlers]
impl Line {
    ///
    /// A request's own words, "quoted" {}.
    ///   Indented.
    #[on_request]
    fn text(&self) -> String {
        self.text.clone()
    }
}

#[helix_handlers]
impl Escapes {}

#[helix_handlers]
impl Hidden {}

#[test]
fn a_doc_comment_s_first_paragraph_is_the_description() {
    assert_eq!(Line::INFO.description, r#"Says "{quoted}" in {braces}, with a \ and a `tick`, on two lines."#);
    assert_eq!(Escapes::INFO.description, "An attribute\0with\u{1b}escapes \"\\\" and a second line");
    assert_eq!(Hidden::INFO.description, "");
    assert_eq!(Line::DESCRIPTOR.requests().next().unwrap().doc, "A request's own words, \"quoted\" {}. Indented.");
    assert_eq!(Line::DESCRIPTOR.config().next().unwrap().doc, "A field \"in\" a block, on two lines.");
    let runtime = Runtime::builder().modules(modules![Line, Escapes, Hidden]).build().unwrap();
    runtime.start().unwrap();
    assert_eq!(runtime.call::<(), String>("line.text", ()).unwrap(), "a \"b\" {c}\n\0");
}
