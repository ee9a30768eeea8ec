//! Every case's expansion, as reviewed.
//!
//! The attributes' logic is called as plain functions here, without the compiler; `tests/cases.rs` compiles and runs
//! the same files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use helix_macros_backend as backend;
use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::visit_mut::VisitMut;
use syn::{Attribute, Expr, Item, Meta};

fn cases() -> BTreeSet<String> {
    names_in("cases", ".rs")
}

fn names_in(folder: &str, ending: &str) -> BTreeSet<String> {
    fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().unwrap().strip_suffix(ending).map(str::to_owned))
        .collect()
}

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

/// The arguments of an attribute.
fn arguments(attr: &Attribute) -> TokenStream {
    match &attr.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    }
}

fn attributes(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    match item {
        Item::Struct(item) => Some(&mut item.attrs),
        Item::Enum(item) => Some(&mut item.attrs),
        Item::Trait(item) => Some(&mut item.attrs),
        Item::Impl(item) => Some(&mut item.attrs),
        _ => None,
    }
}

/// What an annotated item expands to, if it is one.
fn expand(mut item: Item) -> Option<TokenStream> {
    let derives_event = attributes(&mut item)?
        .iter()
        .any(|attr| attr.path().is_ident("derive") && arguments(attr).into_iter().any(|token| is(&token, "EventType")));
    let event = derives_event.then(|| backend::event_type(item.to_token_stream()));
    let attrs = attributes(&mut item)?;
    let ours = attrs.iter().position(|attr| attr.path().get_ident().is_some_and(|ident| function(ident).is_some()))?;
    let attr = attrs.remove(ours);
    let function = function(attr.path().get_ident()?)?;
    let mut tokens = function(arguments(&attr), item.to_token_stream());
    tokens.extend(event);
    Some(tokens)
}

fn function(attribute: &syn::Ident) -> Option<fn(TokenStream, TokenStream) -> TokenStream> {
    match attribute.to_string().as_str() {
        "helix_module" => Some(backend::module),
        "helix_handlers" => Some(backend::handlers),
        "helix_service" => Some(backend::service),
        "helix_message" => Some(backend::message),
        _ => None,
    }
}

fn is(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

/// Expands `modules![..]`.
struct Lists(bool);

impl VisitMut for Lists {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        if let Expr::Macro(call) = expr
            && call.mac.path.is_ident("modules")
        {
            let list = &call.mac.tokens;
            *expr = syn::parse2(backend::modules(quote!([::helix_runtime] #list))).unwrap();
            self.0 = true;
        }
    }
}

/// Collects what a file's annotated items expand to.
fn expansions(items: Vec<Item>, all: &mut Vec<Item>) {
    for mut item in items {
        let is_test =
            matches!(&item, Item::Fn(function) if function.attrs.iter().any(|attr| attr.path().is_ident("test")));
        let mut lists = Lists(false);
        if !is_test && matches!(item, Item::Fn(_)) {
            lists.visit_item_mut(&mut item);
        }
        if lists.0 {
            all.push(item);
        } else if let Item::Mod(module) = item {
            expansions(module.content.map(|(_, items)| items).unwrap_or_default(), all);
        } else if let Some(tokens) = expand(item) {
            all.extend(syn::parse2::<syn::File>(tokens).expect("an expansion is items").items);
        }
    }
}

/// The printer writes doc attributes as comments, and what they hold as it is.
fn visible(text: &str) -> String {
    text.chars()
        .map(|char| if char.is_control() && char != '\n' { char.escape_default().to_string() } else { char.into() })
        .collect()
}

#[test]
fn every_case_expands_as_reviewed() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for name in cases() {
        let file = syn::parse_file(&read(&format!("cases/{name}.rs"))).unwrap();
        let doc = file.attrs.iter().find(|attr| attr.path().is_ident("doc")).and_then(|attr| match &attr.meta {
            Meta::NameValue(pair) => syn::parse2::<syn::LitStr>(pair.value.to_token_stream()).ok(),
            _ => None,
        });
        let mut items = Vec::new();
        expansions(file.items, &mut items);
        assert!(!items.is_empty(), "the case `{name}` has nothing that expands");
        // One after the other, with a line between them.
        let printed: Vec<String> = items
            .into_iter()
            .map(|item| {
                prettyplease::unparse(&syn::File {
                    shebang: None,
                    frontmatter: None,
                    attrs: Vec::new(),
                    items: vec![item],
                })
            })
            .collect();
        settings.set_description(doc.expect("a case says what it shows").value().trim());
        settings.bind(|| insta::assert_snapshot!(name.as_str(), visible(&printed.join("\n"))));
    }
}

#[test]
fn every_case_is_compiled_and_has_a_snapshot_and_no_snapshot_is_without_a_case() {
    let compiled: BTreeSet<String> = syn::parse_file(&read("tests/cases.rs"))
        .unwrap()
        .items
        .into_iter()
        .filter_map(|item| match item {
            Item::Mod(module) => module.content,
            _ => None,
        })
        .flat_map(|(_, items)| items)
        .map(|item| match item {
            Item::Mod(module) => module.ident.to_string(),
            _ => panic!("tests/cases.rs lists the cases and nothing else"),
        })
        .collect();
    assert_eq!(compiled, cases(), "tests/cases.rs lists the files in cases/");
    assert_eq!(names_in("snapshots", ".snap"), cases(), "snapshots/ has one snapshot for each file in cases/");
}

#[test]
fn every_case_has_a_test_of_its_own() {
    for name in cases() {
        let file = syn::parse_file(&read(&format!("cases/{name}.rs"))).unwrap();
        let runs = file.items.iter().any(
            |item| matches!(item, Item::Fn(function) if function.attrs.iter().any(|attr| attr.path().is_ident("test"))),
        );
        assert!(runs, "the case `{name}` has no test");
    }
}
