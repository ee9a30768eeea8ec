//! Libraries that are really built, put in each other's place while they serve.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use helix_host::{BuildFailure, Cancel, Host, HostFault};
use helix_runtime::{IpcError, Tick};

const COUNTER: &str = r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;

/// Counts.
#[helix_module(name = "counter", flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct Counter { count: u64 }

#[helix_handlers]
impl Counter {
    #[on_event(Tick)]
    fn tick(&mut self) { self.count += 1; }
    #[on_request]
    fn count(&self) -> u64 { self.count }
    #[on_request]
    fn version(&self) -> String { "one".into() }
    /// Asks the host to reload it, and goes on for a while.
    #[on_request]
    fn renew(&mut self, ctx: &Context) -> Result<u64, ModuleError> {
        ctx.call::<(&'static str,), ()>("helix.reload", ("counter",))?;
        self.count += 1000;
        Ok(self.count)
    }
    #[on_request]
    fn shout(&self) {
        log::warn!("from within");
        tracing::error!(answer = 42, "traced");
    }
    #[on_save(version = 1)]
    fn save(&self) -> u64 { self.count }
    #[on_restore(version = 1)]
    fn restore(&mut self, count: u64) { self.count = count; }
}
"#;

/// The next version, with more state, which it takes over.
fn second() -> String {
    COUNTER
        .replace("\"one\"", "\"two\"")
        .replace("{ count: u64 }", "{ count: u64, moves: u32 }")
        .replace("#[on_save(version = 1)]\n    fn save(&self) -> u64 { self.count }", "#[on_save(version = 2)]\n    fn save(&self) -> (u64, u32) { (self.count, self.moves) }\n    #[on_restore(version = 2)]\n    fn restore2(&mut self, saved: (u64, u32)) { (self.count, self.moves) = saved; }")
        .replace("self.count = count; }", "self.count = count; self.moves += 1; }")
}

/// One that forgets what the first has saved.
fn careless() -> String {
    COUNTER.replace("version = 1", "version = 7")
}

struct Built {
    first: PathBuf,
    second: PathBuf,
    careless: PathBuf,
    stranger: PathBuf,
}

static BUILT: LazyLock<Built> = LazyLock::new(|| {
    let folder = support::folder("reload-built");
    let version = |name: &str, source: &str| {
        // One crate, edited: the name and the path of the package are the same each time.
        let module = support::write_crate(&folder, "counter", source);
        support::build(&module, &folder.join(format!("{name}.so")))
    };
    Built {
        first: version("first", COUNTER),
        second: version("second", &second()),
        careless: version("careless", &careless()),
        stranger: support::library(&folder, "stranger", &COUNTER.replace("\"counter\"", "\"stranger\"")),
    }
});

/// A host with the first version at a path of its own.
fn host(test: &str) -> (Host, PathBuf) {
    let path = support::folder(test).join("counter.so");
    fs::copy(&BUILT.first, &path).unwrap();
    let host = Host::builder().libraries(std::slice::from_ref(&path)).start().unwrap();
    (host, path)
}

fn count(host: &Host) -> u64 {
    host.runtime().call::<(), u64>("counter.count", ()).unwrap()
}

fn version(host: &Host) -> String {
    host.runtime().call::<(), String>("counter.version", ()).unwrap()
}

fn tick(host: &Host) {
    assert_eq!(host.runtime().publish(&Tick { timestamp_ns: 0, tick_number: 0 }).handled, 1);
}

#[test]
fn the_code_is_new_and_the_state_is_kept() {
    let (host, path) = host("new-code");
    (0..5).for_each(|_| tick(&host));
    let reloaded = host.reload("counter", None).unwrap();
    assert!(!reloaded.changed);
    assert!(reloaded.summary().starts_with("nothing changed: build "), "{}", reloaded.summary());
    assert_eq!(reloaded.generation, 1);

    fs::copy(&BUILT.second, &path).unwrap();
    let before = host.library("counter").unwrap().1;
    let reloaded = host.reload("counter", None).unwrap();
    assert!(reloaded.changed);
    assert_eq!((version(&host).as_str(), count(&host)), ("two", 5));
    assert_eq!(reloaded.generation, 2);
    assert_eq!(reloaded.lost, 0);
    assert_ne!(host.library("counter").unwrap().1, before);
    assert_eq!(host.library("counter").unwrap().1.to_string(), reloaded.build);
    assert!(reloaded.steps.iter().any(|step| step.what == "restore v1 -> v2 (1 B)"), "{reloaded:?}");
    tick(&host);
    assert_eq!(count(&host), 6);
    host.stop().unwrap();
}

/// What went wrong, that the old generation serves on, and what the command ends with.
#[track_caller]
fn kept(host: &Host, result: Result<helix_host::Reloaded, HostFault>, exit: u8, says: &str) {
    let fault = result.unwrap_err();
    let text = fault.to_string();
    assert!(text.contains(says), "{text}");
    assert!(text.contains("counter 0.1.0, generation 1, build "), "{text}");
    assert!(text.ends_with("serves on"), "{text}");
    assert_eq!(fault.exit(), exit, "{text}");
    assert_eq!((version(host).as_str(), count(host)), ("one", 3));
    tick(host);
    assert_eq!(count(host), 4);
}

#[test]
fn a_file_that_is_refused_leaves_the_old_one_serving() {
    let (host, path) = host("refused");
    let run = |bytes: &[u8], says: &str| {
        fs::write(&path, bytes).unwrap();
        let (host, _) = self::host("refused-each");
        (0..3).for_each(|_| tick(&host));
        kept(&host, host.reload("counter", Some(&path)), 4, says);
    };
    let whole = fs::read(&BUILT.second).unwrap();
    run(b"", "found an empty file, expected an ELF shared object of 64 bits; build the module with `helix build`");
    run(b"#!/bin/sh", "found a file that begins with \"#!/bi\"");
    run(&whole[..whole.len() / 2], "the file is cut off");
    let mut flipped = whole.clone();
    flipped[whole.len() / 3] ^= 1;
    run(&flipped, "the file is damaged: found the checksum");
    run(&fs::read(&BUILT.stranger).unwrap(), "found the module `stranger` in it, expected `counter`");
    drop(host);
}

#[test]
fn state_that_nothing_restores_is_refused_with_what_to_add() {
    let (host, path) = host("careless");
    (0..3).for_each(|_| tick(&host));
    fs::copy(&BUILT.careless, &path).unwrap();
    let says = "`counter` has no handler for it; add `#[on_restore(version = 1)]`";
    kept(&host, host.reload("counter", None), 4, says);
}

#[test]
fn a_missing_file_and_a_missing_module_are_not_found() {
    let (host, path) = host("missing");
    fs::remove_file(&path).unwrap();
    let fault = host.reload("counter", None).unwrap_err();
    assert_eq!(fault.exit(), 3);
    let fault = host.reload("conter", None).unwrap_err();
    assert_eq!(fault.exit(), 3);
    assert!(fault.to_string().contains("did you mean `counter`?"), "{fault}");
}

#[test]
fn a_build_error_is_the_compilers_and_what_ran_serves_on() {
    let (host, _) = host("build-error");
    let module = support::write_crate(
        &support::folder("build-error-crate"),
        "counter",
        &COUNTER.replace("self.count += 1;", "self.cuont += 1;"),
    );
    let failure = support::cargo().build(&module, &Cancel::default(), &mut |_| {}).unwrap_err();
    let BuildFailure::Compiler { package, rendered } = &failure else { panic!("{failure}") };
    assert_eq!(package, "counter");
    assert!(rendered.contains("no field `cuont`"), "{rendered}");
    assert_eq!(HostFault::from(failure).exit(), 1);
    tick(&host);
    assert_eq!(count(&host), 1);
}

#[test]
fn a_module_that_asks_for_its_own_reload_gets_it_once_its_chain_has_returned() {
    let (host, path) = host("renew");
    fs::copy(&BUILT.second, &path).unwrap();
    // What it does after it has asked is not lost.
    assert_eq!(host.runtime().call::<(), u64>("counter.renew", ()).unwrap(), 1000);
    support::until("the new code answers", || version(&host) == "two");
    assert_eq!(count(&host), 1000);
}

#[test]
fn a_module_is_loaded_and_unloaded_while_the_host_runs() {
    let (host, _) = host("load");
    let fault = host.load(&BUILT.first).unwrap_err();
    assert_eq!((fault.exit(), fault.to_string().as_str()), (4, "`counter` is loaded already; reload it instead"));
    assert_eq!(host.load(&BUILT.stranger).unwrap(), "stranger");
    assert_eq!(host.runtime().call::<(), u64>("stranger.count", ()).unwrap(), 0);
    host.unload("stranger").unwrap();
    let gone = host.runtime().call::<(), u64>("stranger.count", ()).unwrap_err();
    assert!(matches!(gone, IpcError::ModuleNotFound { .. }), "{gone}");
    // The same build is mapped once, however often it is loaded.
    let mapped = host.mapped();
    host.load(&BUILT.stranger).unwrap();
    assert_eq!(host.mapped(), mapped);
}

#[test]
fn what_a_module_writes_to_the_log_is_the_hosts_under_its_name() {
    let book = helix_host::LogBook::leaked(log::LevelFilter::Off);
    log::set_logger(book).unwrap();
    log::set_max_level(log::LevelFilter::Info);
    let (host, _) = host("log");
    host.runtime().call::<(), ()>("counter.shout", ()).unwrap();
    let lines = book.after(0, Some("counter"));
    let lines: Vec<_> = lines.iter().map(|line| (line.level.as_str(), line.text.as_str())).collect();
    assert_eq!(lines, [("WARN", "from within"), ("ERROR", "traced answer=42")]);
}
