//! What someone who wishes us ill has tried, and what must come of it.
#![allow(missing_docs)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use helix_runtime::modinfo::Record;
use helix_runtime::prelude::*;
use helix_runtime::{
    BuildFault, ConfigMap, Message, ModuleInfo, ModuleState, ModuleTrait, Runtime, SavedState, modules,
};
use postcard_schema::Schema;
use postcard_schema::schema::NamedType;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A gate that a handler waits at, and that says when it is there.
struct Gate {
    arrived: Sender<()>,
    go: Mutex<Receiver<()>>,
}

fn gate() -> (Gate, Receiver<()>, Sender<()>) {
    let (arrived, is_there) = channel();
    let (open, go) = channel();
    (Gate { arrived, go: Mutex::new(go) }, is_there, open)
}

static GATE: Mutex<Option<Gate>> = Mutex::new(None);
/// One test at a time uses the gate.
static TURN: Mutex<()> = Mutex::new(());

/// Waits inside a handler, then panics or not.
#[helix_module]
#[derive(Default)]
pub struct Victim {
    gate: Option<Gate>,
    stops: u64,
}

#[helix_handlers]
impl Victim {
    #[on_init]
    fn init(&mut self) {
        self.gate = GATE.lock().unwrap().take();
    }
    #[on_request]
    fn wait(&mut self, then_panic: bool) -> u64 {
        let gate = self.gate.as_ref().unwrap();
        gate.arrived.send(()).unwrap();
        gate.go.lock().unwrap().recv().unwrap();
        assert!(!then_panic, "as told");
        self.stops
    }
    #[on_stop]
    fn stop(&mut self) {
        self.stops += 1;
    }
}

fn victim() -> (Runtime, Receiver<()>, Sender<()>) {
    let (gate, is_there, open) = gate();
    *GATE.lock().unwrap() = Some(gate);
    let runtime = Runtime::builder().modules(modules![Victim]).build().unwrap();
    runtime.start().unwrap();
    (runtime, is_there, open)
}

#[test]
fn a_module_that_panics_while_it_is_stopped_stays_failed() {
    let _turn = TURN.lock().unwrap();
    let (runtime, is_there, open) = victim();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| runtime.call::<(bool,), u64>("victim.wait", (true,)));
        is_there.recv().unwrap();
        // On a slow machine it may give up before the handler has panicked; then it is asked again.
        let stop = scope.spawn(|| while runtime.stop().is_err() {});
        open.send(()).unwrap();
        assert!(call.join().unwrap().unwrap_err().to_string().ends_with("panicked: as told"));
        stop.join().unwrap();
    });
    assert_eq!(runtime.modules()[0].state, ModuleState::Failed);
    assert!(runtime.start().unwrap_err().to_string().contains("is failed"));
}

#[test]
fn asking_a_hung_module_for_its_health_gets_an_answer() {
    let _turn = TURN.lock().unwrap();
    let (runtime, is_there, open) = victim();
    std::thread::scope(|scope| {
        let call = scope.spawn(|| runtime.call::<(bool,), u64>("victim.wait", (false,)));
        is_there.recv().unwrap();
        // `Victim` has no `on_health`, but its lock is asked for all the same.
        let health = runtime.health().remove(0);
        assert_eq!((health.healthy, health.reason.unwrap().to_string().as_str()), (false, "module is busy: victim"));
        open.send(()).unwrap();
        assert_eq!(call.join().unwrap(), Ok(0));
    });
}

/// Uses what it keeps while the runtime goes.
#[helix_module]
#[derive(Default)]
pub struct Clinging {
    handle: Option<Handle>,
}

#[helix_handlers]
impl Clinging {
    #[on_init]
    fn init(&mut self, ctx: &Context) {
        self.handle = Some(ctx.handle());
    }
    #[on_stop]
    fn stop(&mut self) {
        let handle = self.handle.as_ref().unwrap();
        assert_eq!(handle.call::<(), u64>("base.one", ()), Ok(1));
        assert!(handle.publish(&Tick { timestamp_ns: 0, tick_number: 0 }).unwrap().is_clean());
    }
}

impl Drop for Clinging {
    fn drop(&mut self) {
        assert_eq!(self.handle.as_ref().unwrap().call::<(), u64>("base.one", ()), Err(IpcError::Closed));
    }
}

#[helix_module]
#[derive(Default)]
pub struct Base;

#[helix_handlers]
impl Base {
    #[on_request]
    fn one(&self) -> u64 {
        1
    }
    #[on_event(Tick)]
    fn tick(&mut self) {}
}

#[test]
fn a_handle_works_until_the_last_moment() {
    let runtime = Runtime::builder().modules(modules![Base, Clinging]).build().unwrap();
    runtime.start().unwrap();
    drop(runtime);
}

/// Read by many, written by one.
#[helix_module]
#[derive(Default)]
pub struct Shelf {
    books: u64,
}

#[helix_handlers]
impl Shelf {
    #[on_request]
    fn read(&self, ctx: &Context) -> Result<u64, ModuleError> {
        std::thread::yield_now();
        // Read again inside, which must not wait for a writer that waits for this.
        Ok(self.books + ctx.call::<(), u64>("shelf.peek", ())?)
    }
    #[on_request]
    fn peek(&self) -> u64 {
        self.books
    }
    #[on_request]
    fn write(&mut self) -> u64 {
        self.books += 1;
        self.books
    }
}

#[test]
fn a_writer_is_not_kept_out_by_readers_who_come_and_go() {
    let runtime = Runtime::builder().modules(modules![Shelf]).build().unwrap();
    runtime.start().unwrap();
    let written = AtomicBool::new(false);
    let (done, finished) = channel();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !written.load(Ordering::Relaxed) {
                    runtime.call::<(), u64>("shelf.read", ()).unwrap();
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..if cfg!(miri) { 2 } else { 200 } {
                runtime.call::<(), u64>("shelf.write", ()).unwrap();
            }
            done.send(()).unwrap();
        });
        let result = finished.recv_timeout(Duration::from_secs(60));
        written.store(true, Ordering::Relaxed);
        assert_eq!(result, Ok(()));
    });
    runtime.stop().unwrap();
}

static DEEP: OnceLock<Handle> = OnceLock::new();

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Publishes what it hears, and asks for its own health, without an end.
#[helix_module]
#[derive(Default)]
pub struct Deep;

#[helix_handlers]
impl Deep {
    #[on_event(Tick)]
    fn tick(&self) -> Result<(), ModuleError> {
        let heard = DEEP.get().unwrap().publish(&Tick { timestamp_ns: 0, tick_number: 0 })?;
        heard.first_error.map_or(Ok(()), |(_, error)| Err(error))
    }
    #[on_health]
    fn health(&self) -> bool {
        RUNTIME.get().unwrap().health().iter().all(|health| health.healthy)
    }
}

#[test]
fn recursion_ends_at_the_limit() {
    let runtime = Runtime::builder().modules(modules![Deep]).depth_limit(0).build().unwrap();
    runtime.start().unwrap();
    DEEP.set(runtime.handle()).unwrap();
    let error = runtime.publish(&Tick { timestamp_ns: 0, tick_number: 0 }).first_error.unwrap().1;
    assert_eq!(error.to_string(), "calls are nested deeper than 1: deep");
    assert!(RUNTIME.set(runtime).is_ok());
    assert!(!RUNTIME.get().unwrap().health()[0].healthy);
}

/// A type whose codec is the user's own, and bad.
#[derive(Debug, Clone, PartialEq)]
pub struct Nasty;

impl Serialize for Nasty {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no"))
    }
}
impl<'de> Deserialize<'de> for Nasty {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("a nasty type")
    }
}
impl Schema for Nasty {
    const SCHEMA: &'static NamedType = u8::SCHEMA;
}
impl Message for Nasty {}

#[helix_module]
#[derive(Default)]
pub struct Careless {
    restored: u64,
}

#[helix_handlers]
impl Careless {
    #[on_request]
    fn take(&self, _: Nasty) -> u64 {
        self.restored
    }
    #[on_request]
    fn give(&self) -> Nasty {
        Nasty
    }
    #[on_save(version = 1)]
    fn save(&self) -> u64 {
        panic!("nothing to save")
    }
    #[on_restore(version = 1)]
    fn restore(&mut self, state: u64) {
        self.restored = state;
    }
}

#[helix_module]
#[derive(Default)]
pub struct Undertaker {
    heard: u64,
}

#[helix_handlers]
impl Undertaker {
    #[on_event(ModuleCrashed)]
    fn crashed(&mut self) {
        self.heard += 1;
    }
    #[on_request]
    fn heard(&self) -> u64 {
        self.heard
    }
}

#[test]
fn a_bad_codec_and_a_panic_in_save_are_the_modules_fault_alone() {
    let started = || {
        let runtime = Runtime::builder().modules(modules![Careless, Undertaker]).build().unwrap();
        runtime.start().unwrap();
        runtime
    };
    let runtime = started();
    let error = runtime.request_into("careless.give", &[], &mut [0; 8]).unwrap_err();
    assert_eq!(error.to_string(), "careless.give: a value could not be encoded: its `Serialize` has refused");
    let error = runtime.request_into("careless.take", &[1], &mut []).unwrap_err();
    assert_eq!(error.to_string(), "careless.take: module `careless` panicked: a nasty type");
    assert_eq!(runtime.call::<(), u64>("undertaker.heard", ()), Ok(1));

    let runtime = started();
    assert_eq!(runtime.save("careless").unwrap_err().to_string(), "module `careless` panicked: nothing to save");
    assert_eq!(runtime.modules()[0].state, ModuleState::Failed);
    assert_eq!(runtime.call::<(), u64>("undertaker.heard", ()), Ok(1));
}

struct Named(&'static str);

impl ModuleTrait for Named {
    fn info(&self) -> ModuleInfo {
        ModuleInfo::new(self.0)
    }
}

#[test]
fn odd_names_keys_and_states_are_refused_when_the_runtime_is_built() {
    let long = "a-name-of-sixty-five-bytes-which-is-one-more-than-a-name-may-have";
    assert_eq!(long.len(), 65);
    for name in ["", "A b", ".", "*", "a\0b", "services", long] {
        let error = Runtime::builder().add(Box::new(Named(name))).build().unwrap_err();
        assert!(error.to_string().starts_with(&format!("bad name `{name}`: a name is ")), "{error}");
    }
    let state = SavedState { module: "base".into(), version: 1, schema: 0, bytes: vec![] };
    static CONFIG: &[(&str, &str)] = &[("bare", "1"), ("base.x", "1"), ("base.x", "2")];
    let builder = Runtime::builder().config(CONFIG).modules(modules![Base]).state(state.clone()).state(state);
    let faults = builder.build().unwrap_err().faults;
    assert_eq!(
        faults.iter().map(BuildFault::to_string).collect::<Vec<_>>(),
        [
            "config key `bare`: found no module, expected `module.key`",
            "config key `base.x`: `base` has no key `x`; it has: none",
            "config key `base.x` is set twice: keep one",
            "saved state: there are two for `base`: keep one",
        ]
    );
    let odd: ConfigMap = [("\0.\0", "\0"), (".", ""), ("services.", "")].into_iter().collect();
    assert_eq!(Runtime::builder().config(odd).modules(modules![Base]).build().unwrap_err().faults.len(), 3);
    let runtime = Runtime::builder().modules(modules![Base]).build().unwrap();
    runtime.start().unwrap();
    assert!(matches!(runtime.resolve::<(), u64>("base."), Err(IpcError::RequestNotFound { .. })));
}

#[test]
fn a_record_of_any_length_is_refused_without_overflow() {
    let header = format!("helix-modinfo 2 length={} fnv={:016x}", u64::MAX, 0);
    assert!(Record::read(header.as_bytes()).next().unwrap().is_err());
    let header = format!("{:\0<64}", format!("helix-modinfo 2 length=99999999 fnv={:016x}", 0));
    assert_eq!(
        Record::read(header.as_bytes()).next().unwrap().unwrap_err().to_string(),
        "at byte 0: the record is cut off: found 64 bytes, expected 100000063"
    );
}
