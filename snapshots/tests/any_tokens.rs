//! Whatever the tokens, an attribute answers, and gives back what it was given.

use std::collections::BTreeSet;
use std::str::FromStr;

use helix_macros_backend as backend;
use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use proptest::prelude::*;
use quote::quote;

type Attribute = fn(TokenStream, TokenStream) -> TokenStream;

const ATTRIBUTES: [Attribute; 7] = [
    backend::module,
    backend::handlers,
    backend::service,
    backend::message,
    |_, item| backend::event_type(item),
    |args, item| backend::modules(quote!([::helix_runtime] #args #item)),
    |args, item| backend::outside_handlers("on_event", args, item),
];

/// Arguments that mean something to one of the attributes.
const ARGUMENTS: &[&str] = &[
    "",
    "crate = ::a::b",
    "name = \"a.b\", version = \"1.0.0\", description = \"d\", author = \"a\", license = \"MIT\", kind = core",
    "provides = [Contract, a::B, \"name\"], flags = SCHEDULER | HOT_RELOADABLE, features = [\"a\", \"b\"]",
    "dependencies(\"timer\", \"core/ecs\" = \">=1.0\", \"r\" = { version = \"^1\", features = [\"x\"], optional = true })",
    "dependencies = [\"timer\"], permissions = [\"p\"], stateless, new = Self::make",
    "\"scheduler\", crate = a",
    "a::A, b::B<3>, ..",
];

/// Items that mean something to one of the attributes.
const ITEMS: &[&str] = &[
    "/// Doc.\n #[derive(Default)] pub struct M<'a, T: Clone, const N: usize> where T: X { #[config(default = 1 + 2)] a: &'a [T; N], #[cfg(x)] #[config] b: u8 }",
    "struct Unit;",
    "struct Tuple(#[config] u8, Vec<Self>);",
    "impl<T> M<T> where T: X {
        const C: u8 = { 1 };
        #[on_init] fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> { Ok(()) }
        #[on_event(Tick, priority = HIGH)] #[cfg_attr(x, on_event(\"net\"), inline)] fn tick(&self, &Tick { a, .. }: &Tick) {}
        #[on_request(\"a\", permission = \"p\", raw)] fn raw(&self, r: &Request) -> X { let y = ; }
        #[on_request] async unsafe fn f<'b>(self, mut a: &'b str, [b, c]: [u8; { 2 }], _: &mut T) -> Array<{ 1 }> {}
        #[on_save(version = 1)] fn save(&self) -> u8 { 1 }
        #[on_restore(version = 1)] fn restore(&mut self, s: u8) {}
        some_macro! { #[on_stop] fn stop(&self) {} }
        type T = X<{ 1 }>;
        fn last(&self) {}
    }",
    "pub trait Contract: Send { /// Doc.\n fn a(&self, x: &str, ctx: &Context) -> Result<u8, E>; #[cfg(x)] fn b(&mut self) -> ModuleResult<u8> { Ok(1) } }",
    "#[event(topic = \"a\", name = \"b.c\", crate = a::b)] enum E { A, B(u8), #[cfg(x)] C { a: E } = 3 }",
    "union U { a: u8 }",
    "impl Contract for M { #[on_init] fn f(&self) {} }",
];

fn parse(text: &str) -> TokenStream {
    TokenStream::from_str(text).unwrap()
}

fn word() -> impl Strategy<Value = TokenTree> {
    let known = prop::sample::select(vec![
        "name",
        "version",
        "crate",
        "self",
        "Self",
        "fn",
        "impl",
        "struct",
        "enum",
        "trait",
        "union",
        "pub",
        "const",
        "type",
        "where",
        "on_event",
        "on_request",
        "on_save",
        "config",
        "cfg_attr",
        "cfg",
        "derive",
        "serde",
        "event",
        "flags",
        "provides",
        "dependencies",
        "Context",
        "Result",
        "_",
        "async",
        "unsafe",
        "extern",
        "dyn",
        "for",
        "mut",
        "a",
        "É",
    ]);
    prop_oneof![
        8 => known.prop_map(|word| TokenTree::Ident(Ident::new(word, Span::call_site()))),
        1 => Just(TokenTree::Ident(Ident::new_raw("type", Span::call_site()))),
    ]
}

fn literal() -> impl Strategy<Value = TokenTree> {
    prop_oneof![
        "\\PC{0,6}".prop_map(|text| Literal::string(&text)),
        prop::sample::select(vec!["a.b", "1.0.0", "^1", "get", "", "\0", "a\n\"{}\\"]).prop_map(Literal::string),
        any::<u64>().prop_map(Literal::u64_unsuffixed),
        any::<i8>().prop_map(|number| Literal::u8_suffixed(number.unsigned_abs())),
        any::<char>().prop_map(Literal::character),
        prop::collection::vec(any::<u8>(), 0..3).prop_map(|bytes| Literal::byte_string(&bytes)),
        Just(Literal::f64_suffixed(1.5)),
        Just(Literal::from_str("c\"c\"").unwrap()),
        Just(Literal::from_str("-5i64").unwrap()),
    ]
    .prop_map(TokenTree::Literal)
}

fn punct() -> impl Strategy<Value = TokenTree> {
    (prop::sample::select("#,=|:;.<>&*!?+-@$/^%~'".chars().collect::<Vec<_>>()), any::<bool>()).prop_map(
        |(char, joint)| TokenTree::Punct(Punct::new(char, if joint { Spacing::Joint } else { Spacing::Alone })),
    )
}

fn delimiter() -> impl Strategy<Value = Delimiter> {
    prop::sample::select(vec![Delimiter::Parenthesis, Delimiter::Brace, Delimiter::Bracket, Delimiter::None])
}

fn tokens() -> impl Strategy<Value = TokenStream> {
    let leaf = prop_oneof![word(), literal(), punct()];
    let tree = leaf.prop_recursive(3, 40, 8, |inner| {
        (delimiter(), prop::collection::vec(inner, 0..8))
            .prop_map(|(delimiter, tokens)| TokenTree::Group(Group::new(delimiter, tokens.into_iter().collect())))
    });
    prop::collection::vec(tree, 0..12).prop_map(|tokens| tokens.into_iter().collect())
}

/// One change at one place of a stream.
#[derive(Debug, Clone)]
enum Change {
    Remove,
    Double,
    Put(TokenStream),
    Wrap(Delimiter),
}

fn change() -> impl Strategy<Value = (prop::sample::Index, Change)> {
    let change = prop_oneof![
        2 => Just(Change::Remove),
        1 => Just(Change::Double),
        3 => prop_oneof![word(), literal(), punct()].prop_map(|token| Change::Put(token.into())),
        1 => tokens().prop_map(Change::Put),
        2 => delimiter().prop_map(Change::Wrap),
    ];
    (any::<prop::sample::Index>(), change)
}

fn count(tokens: &TokenStream) -> usize {
    tokens
        .clone()
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => 1 + count(&group.stream()),
            _ => 1,
        })
        .sum()
}

fn apply(tokens: TokenStream, at: &mut usize, change: &Change) -> TokenStream {
    let mut changed = TokenStream::new();
    for token in tokens {
        let here = *at == 0;
        *at = at.wrapping_sub(1);
        let token = match token {
            TokenTree::Group(group) => {
                TokenTree::Group(Group::new(group.delimiter(), apply(group.stream(), at, change)))
            }
            token => token,
        };
        match change {
            Change::Remove if here => {}
            Change::Double if here => changed.extend([token.clone(), token]),
            Change::Put(tokens) if here => changed.extend(tokens.clone()),
            Change::Wrap(delimiter) if here => changed.extend([TokenTree::Group(Group::new(*delimiter, token.into()))]),
            _ => changed.extend([token]),
        }
    }
    changed
}

/// A valid text, changed in up to four places.
fn mutated(texts: &'static [&'static str]) -> impl Strategy<Value = TokenStream> {
    (prop::sample::select(texts), prop::collection::vec(change(), 0..4)).prop_map(|(text, changes)| {
        changes.into_iter().fold(parse(text), |tokens, (at, change)| match count(&tokens) {
            0 => tokens,
            count => apply(tokens, &mut at.index(count), &change),
        })
    })
}

/// The names behind `fn`, at every depth but that of attributes: ours are taken away with all that is in them.
fn functions(tokens: &TokenStream) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let (mut after_fn, mut after_hash) = (false, false);
    for token in tokens.clone() {
        let is_attribute =
            after_hash && matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket);
        after_hash = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#');
        match token {
            TokenTree::Group(_) if is_attribute => after_fn = false,
            TokenTree::Ident(ident) => {
                if after_fn {
                    names.insert(ident.to_string());
                }
                after_fn = ident == "fn";
            }
            TokenTree::Group(group) => {
                names.extend(functions(&group.stream()));
                after_fn = false;
            }
            _ => after_fn = false,
        }
    }
    names
}

fn has_error(tokens: &TokenStream) -> bool {
    tokens.to_string().contains("compile_error")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_tokens_are_answered(args in tokens(), item in tokens()) {
        for attribute in ATTRIBUTES {
            let _ = attribute(args.clone(), item.clone());
        }
    }

    #[test]
    fn nearly_valid_tokens_are_answered_and_no_function_is_lost(args in mutated(ARGUMENTS), item in mutated(ITEMS)) {
        for (at, attribute) in ATTRIBUTES.into_iter().enumerate() {
            let expansion = attribute(args.clone(), item.clone());
            // A derive and a list do not give back what they were given.
            if at != 4 && at != 5 {
                let (given, kept) = (functions(&item), functions(&expansion));
                prop_assert!(given.is_subset(&kept), "lost {:?}\nof {item}\nin {expansion}", given.difference(&kept));
            }
        }
    }

    #[test]
    fn a_body_may_hold_anything(body in tokens()) {
        let item = quote! {
            impl M {
                #[on_request]
                fn first(&self, a: u8) -> u8 { #body }
                #[on_event(Tick)]
                fn second(&mut self) { #body }
                fn third(&self) { #body }
            }
        };
        let expansion = backend::handlers(TokenStream::new(), item.clone());
        prop_assert!(functions(&item).is_subset(&functions(&expansion)));
        let ours = backend::handlers(TokenStream::new(), quote!(impl M {
            #[on_request]
            fn first(&self, a: u8) -> u8 {}
            #[on_event(Tick)]
            fn second(&mut self) {}
            fn third(&self) {}
        }));
        prop_assert!(!has_error(&ours));
        // The table is the same, whatever the bodies hold.
        let table = |tokens: &TokenStream| {
            let text = tokens.to_string();
            text[text.find("HANDLERS").unwrap()..].to_owned()
        };
        prop_assert_eq!(table(&expansion), table(&ours));
    }
}

#[test]
fn a_mistake_in_a_body_is_the_compiler_s_to_tell() {
    let expansion = backend::handlers(
        TokenStream::new(),
        parse("impl M { #[on_request] fn f(&self) { let x = ; } #[on_start] fn g(&self) { self. } const C: u8 = 1; }"),
    );
    assert!(!has_error(&expansion), "{expansion}");
    assert_eq!(functions(&expansion), ["f", "g"].map(str::to_owned).into());
    let text = expansion.to_string();
    assert!(text.contains("let x = ;") && text.contains("self .") && text.contains("const C : u8 = 1 ;"), "{text}");
    assert!(!text.contains("# [on_request]") && text.contains("\"f\""), "{text}");
}

#[test]
fn valid_items_are_given_back_without_an_error() {
    let args = ["", "", "", "", "\"contract\"", ""];
    let attributes: [Attribute; 6] =
        [backend::module, backend::module, backend::message, backend::handlers, backend::service, backend::message];
    let items =
        [ITEMS[0], ITEMS[1], "struct T(u8);", "impl M { #[on_init] fn f(&self) {} }", ITEMS[4], "enum E { A, B(u8) }"];
    for ((args, attribute), item) in args.into_iter().zip(attributes).zip(items) {
        let expansion = attribute(parse(args), parse(item));
        assert!(!has_error(&expansion), "{expansion}");
    }
}

#[test]
fn an_error_leaves_the_items_without_the_attributes_that_would_be_errors_too() {
    for item in ["impl Contract for M { #[on_init] fn f(&self) {} }", "impl M { #[on_init(1)] async fn f(self) {} }"] {
        let expansion = backend::handlers(TokenStream::new(), parse(item));
        assert!(has_error(&expansion));
        assert!(!expansion.to_string().contains("# [on_init"), "{expansion}");
    }
}
