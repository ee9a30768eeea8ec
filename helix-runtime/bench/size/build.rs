//! Writes the modules of one program: `HELIX_SIZE="WAY KIND MODULES HANDLERS"`, as in `helix event 1 17`.
//! WAY is `helix` or `table`, KIND is `event`, `request` or `types`: requests that all have types of their own.

use std::fmt::Write;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-env-changed=HELIX_SIZE");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=link.ld");
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    println!("cargo::rustc-link-arg-bins=-T{root}/link.ld");
    // Where it lies is settled when it is linked, as for a kernel: no relocations stay, nothing is to be protected later.
    println!("cargo::rustc-link-arg-bins=--no-pie");
    println!("cargo::rustc-link-arg-bins=-znorelro");

    let variant = std::env::var("HELIX_SIZE").unwrap_or_else(|_| "helix event 1 1".into());
    let words: Vec<&str> = variant.split(' ').collect();
    let (Some(modules), Some(handlers)) = (number(&words, 2), number(&words, 3)) else {
        panic!("HELIX_SIZE: found `{variant}`, expected `WAY KIND MODULES HANDLERS`");
    };
    let source = match words[0] {
        "helix" => helix(words[1], modules, handlers),
        "table" => table(words[1], modules, handlers),
        way => panic!("HELIX_SIZE: found `{way}`, expected `helix` or `table`"),
    };
    let out = std::env::var("OUT_DIR").expect("cargo sets it");
    std::fs::write(Path::new(&out).join("modules.rs"), source).expect("OUT_DIR can be written");
}

fn number(words: &[&str], at: usize) -> Option<usize> {
    words.get(at)?.parse().ok()
}

const TYPES: [&str; 8] = ["u8", "u16", "u32", "i8", "i16", "i32", "bool", "u64"];

/// The types of a handler's two arguments, which no other has where `kind` says so.
fn types(kind: &str, at: usize) -> (&'static str, &'static str) {
    if kind == "types" { (TYPES[at % 8], TYPES[at / 8]) } else { ("u32", "u32") }
}

/// The method that a handler is, in both ways of writing. The number keeps the compiler from making one of two.
fn method(kind: &str, number: usize, handler: usize) -> String {
    let work = format!("self.seen.store(self.seen.load(Relaxed).rotate_left(7) ^ {}", 0x1234_5678 + number * 77_777);
    match kind {
        "event" => {
            format!("fn handler_{handler:02}(&self, tick: &Tick) {{ {work} ^ tick.tick_number as u32, Relaxed) }}")
        }
        _ => {
            let (a, b) = types(kind, number);
            format!(
                "fn handler_{handler:02}(&self, a: {a}, b: {b}) -> u32 {{ {work} ^ a as u32 ^ b as u32, Relaxed); \
                 self.seen.load(Relaxed) }}"
            )
        }
    }
}

/// How a module is made, none as another.
fn new(module: usize) -> String {
    format!("const fn new() -> Self {{ Self {{ seen: AtomicU32::new({}) }} }}", 1 + module * 111)
}

fn helix(kind: &str, modules: usize, handlers: usize) -> String {
    let attribute = if kind == "event" { "#[on_event(Tick)]" } else { "#[on_request]" };
    let mut text =
        String::from("use helix_runtime::prelude::*;\nuse crate::Wanted;\nuse helix_runtime::{Runtime, modules};\n");
    for module in 0..modules {
        writeln!(
            text,
            "#[helix_module(name = \"module-{module:02}\", new = Module{module:02}::new)] pub struct Module{module:02} \
             {{ seen: AtomicU32 }}\nimpl Module{module:02} {{ {} }}\n#[helix_handlers] impl Module{module:02} {{",
            new(module)
        )
        .unwrap();
        for handler in 0..handlers {
            writeln!(text, "    {attribute} {}", method(kind, module * handlers + handler, handler)).unwrap();
        }
        text += "}\n";
    }
    let list: Vec<String> = (0..modules).map(|module| format!("Module{module:02}")).collect();
    let used = if kind == "event" {
        "runtime.publish(&Tick { timestamp_ns: 0, tick_number: wanted.round.into() }).handled"
    } else {
        "runtime.call::<(u32, u32), u32>(wanted.path, (wanted.round, wanted.round)).unwrap_or(0)"
    };
    write!(
        text,
        "pub fn run(wanted: &Wanted) -> u32 {{\n    \
         let Ok(runtime) = Runtime::builder().modules(modules![{}]).build() else {{ return 0 }};\n    \
         if runtime.start().is_err() {{ return 0 }}\n    {used}\n}}\n",
        list.join(", ")
    )
    .unwrap();
    text
}

fn table(kind: &str, modules: usize, handlers: usize) -> String {
    let mut text = String::from(
        "use crate::Wanted;\nuse crate::table::{self, Module, OnEvent, OnRequest};\nuse core::hint::black_box;\nuse helix_runtime::Tick;\n",
    );
    let mut entries = String::new();
    for module in 0..modules {
        writeln!(
            text,
            "pub struct Module{module:02} {{ seen: AtomicU32 }}\n\
             static INSTANCE_{module:02}: Module{module:02} = Module{module:02}::new();\n\
             impl Module{module:02} {{ {}",
            new(module)
        )
        .unwrap();
        let (mut events, mut requests) = (String::new(), String::new());
        for handler in 0..handlers {
            let number = module * handlers + handler;
            writeln!(text, "    {}", method(kind, number, handler)).unwrap();
            let call = format!("INSTANCE_{module:02}.handler_{handler:02}");
            if kind == "event" {
                write!(events, "OnEvent {{ topic: table::TICK, priority: 0, call: |tick| {call}(tick) }}, ").unwrap();
            } else {
                let (a, b) = types(kind, number);
                write!(
                    requests,
                    "OnRequest {{ name: \"handler_{handler:02}\", call: |args| {{\n        \
                     // SAFETY: who calls passes the types of the request.\n        \
                     let (a, b) = unsafe {{ *args.cast::<({a}, {b})>() }};\n        {call}(a, b)\n    }} }}, "
                )
                .unwrap();
            }
        }
        text += "}\n";
        writeln!(
            entries,
            "    Module {{ name: \"module-{module:02}\", version: (0, 1, 0), events: &[{events}], requests: &[{requests}] }},"
        )
        .unwrap();
    }
    let used = if kind == "event" {
        "table::publish(black_box(TABLE), &Tick { timestamp_ns: 0, tick_number: wanted.round.into() })"
    } else {
        "table::call(black_box(TABLE), wanted.names, core::ptr::from_ref(&(wanted.round, wanted.round)).cast()).unwrap_or(0)"
    };
    write!(
        text,
        "static TABLE: &[Module] = &[\n{entries}];\n\
         pub fn run(wanted: &Wanted) -> u32 {{ {used} }}\n"
    )
    .unwrap();
    text
}
