//! Processes that read slowly, or not at all, and processes that flood: whoever else there is goes on.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod support;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use helix_host::{Configuration, Host};
use helix_runtime::{Custom, Event, Supervision};
use rustix::process::{Pid, Signal, kill_process};

/// Says and asks as much as it can.
const FLOOD: &str = r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;
/// Floods.
#[helix_module(name = "flood", flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Flood;
#[helix_handlers]
impl Flood {
    #[on_request]
    fn pid(&self) -> u32 { std::process::id() }
    #[on_request]
    fn length(&self, bytes: &[u8]) -> u64 { bytes.len() as u64 }
    #[on_event("big")]
    fn big(&self) {}
    #[on_request]
    fn too_much(&self) -> Vec<u8> { vec![0; 17 << 20] }
    /// From threads of its own, for ever.
    #[on_request]
    fn begin(&self, what: String, ctx: &Context) {
        for _ in 0..4 {
            let (handle, what) = (ctx.handle(), what.clone());
            std::thread::spawn(move || loop {
                match what.as_str() {
                    "events" => drop(handle.publish(&Event::Custom(Custom::new("flood.drop", vec![7; 100])))),
                    "log" => log::warn!("drip"),
                    "prints" => println!("drop"),
                    _ => drop(handle.call::<(), u64>("counter.add", ())),
                }
            });
        }
    }
    #[on_stop]
    fn stop(&self) { std::thread::sleep(std::time::Duration::from_secs(3600)) }
}
"#;

/// Counts, in a process of its own.
const COUNTER: &str = r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;
/// Counts.
#[helix_module(name = "counter", flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Counter { count: u64, drops: u64 }
#[helix_handlers]
impl Counter {
    #[on_request]
    fn add(&mut self) -> u64 { self.count += 1; self.count }
    #[on_event("flood")]
    fn hear(&mut self) {}
    #[on_event("flood.drop")]
    fn hear_drop(&mut self) { self.drops += 1; }
}
"#;

static LIBRARIES: LazyLock<[PathBuf; 2]> = LazyLock::new(|| {
    let folder = support::folder("flood");
    [support::library(&folder, "flood", FLOOD), support::library(&folder, "counter", COUNTER)]
});

fn start(host: &str) -> Host {
    patient(1000, host)
}

/// One whose flood may take so many milliseconds in a conversation.
fn patient(deadline: u32, host: &str) -> Host {
    let text = format!(
        "[host]\ncommand = {:?}\nmodules.flood = {{ isolation = \"process\", deadline_ms = {deadline} }}\n\
         modules.counter = {{ isolation = \"process\", queue = 1000 }}\n{host}",
        env!("CARGO_BIN_EXE_helix")
    );
    let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
    let builder = Host::builder().libraries(&LIBRARIES[..]).configuration(configuration);
    builder.runtime(|builder| builder.supervision(Supervision::NEVER)).start().unwrap()
}

fn add(host: &Host) -> Result<u64, helix_runtime::IpcError> {
    host.runtime().call::<(), u64>("counter.add", ())
}

fn stopped(host: &Host) -> Pid {
    let pid = host.runtime().call::<(), u32>("flood.pid", ()).unwrap();
    let pid = Pid::from_raw(pid as i32).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    pid
}

#[test]
fn one_that_does_not_read_is_ended_at_its_deadline_however_much_it_is_told() {
    let host = start("");
    assert_eq!(host.runtime().call::<(&[u8],), u64>("flood.length", (&[1; 1 << 20],)).unwrap(), 1 << 20);
    stopped(&host);
    let began = Instant::now();
    let error = host.runtime().call::<(&[u8],), u64>("flood.length", (&vec![1; 8 << 20],)).unwrap_err().to_string();
    assert!(error.contains("it has not answered for 1s"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert_eq!(add(&host).unwrap(), 1);

    let host = start("");
    stopped(&host);
    let told = host.runtime().publish(&Event::Custom(Custom::new("big", vec![1; 8 << 20])));
    assert!(told.first_error.unwrap().1.to_string().contains("it has not answered for 1s"));
}

#[test]
fn what_is_too_long_for_a_message_is_an_error_and_nobody_ends_for_it() {
    let host = patient(10_000, "");
    let pid = || host.runtime().call::<(), u32>("flood.pid", ()).unwrap();
    let before = pid();
    let much = vec![1; 17 << 20];
    let error = host.runtime().call::<(&[u8],), u64>("flood.length", (&much,)).unwrap_err().to_string();
    assert!(error.contains("expected 16777216 at most"), "{error}");
    let error = host.runtime().call::<(), Vec<u8>>("flood.too_much", ()).unwrap_err().to_string();
    assert!(error.contains("expected 16777216 at most"), "{error}");
    let told = host.runtime().publish(&Event::Custom(Custom::new("big", much)));
    assert!(told.first_error.unwrap().1.to_string().contains("expected 16777216 at most"));
    assert_eq!(pid(), before);
}

#[test]
fn whatever_one_floods_with_others_are_answered_and_the_host_ends() {
    for what in ["events", "calls", "log", "prints"] {
        let host = start("maintenance = { timeout_s = 1 }");
        host.runtime().call::<(&str,), ()>("flood.begin", (what,)).unwrap();
        let (calls, slow) = (200, AtomicBool::new(false));
        for _ in 0..calls {
            let began = Instant::now();
            add(&host).unwrap();
            slow.fetch_or(began.elapsed() > Duration::from_secs(60), Ordering::Relaxed);
        }
        assert!(!slow.into_inner(), "{what}");
        let host_pid = host.runtime().call::<(), u32>("flood.pid", ()).unwrap();
        let began = Instant::now();
        // Its `on_stop` never ends: it is told how long it has, and then ended.
        let error = host.stop().unwrap_err().to_string();
        assert!(error.contains("it has not answered for"), "{what}: {error}");
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: {:?}", began.elapsed());
        support::until("it is gone", || {
            rustix::process::test_kill_process(Pid::from_raw(host_pid as i32).unwrap()).is_err()
        });
    }
}
