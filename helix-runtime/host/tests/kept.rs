//! States that outlive their host, and hosts that are killed.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use helix_host::control::{Client, Verb};
use helix_host::{Configuration, Host, Library};
use helix_runtime::{SavedState, Tick};
use serde_json::{Value, json};

const COUNTER: &str = r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;
/// Counts.
#[helix_module(name = "counter", flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct Counter { count: u64 }
static BUILD: &str = "build number 00000000";
#[helix_handlers]
impl Counter {
    #[on_event(Tick)]
    fn tick(&mut self) { self.count += 1; }
    #[on_event(Shutdown)]
    fn shutdown(&mut self) { self.count += 100; }
    #[on_request]
    fn count(&self) -> u64 { self.count }
    #[on_request]
    fn build(&self) -> String { core::hint::black_box(BUILD).into() }
    #[on_save(version = 1)]
    fn save(&self) -> u64 { self.count }
    #[on_restore(version = 1)]
    fn restore(&mut self, count: u64) { self.count = count; }
}
"#;

#[test]
fn a_state_is_kept_from_one_run_to_the_next_and_a_damaged_one_is_told() {
    let folder = support::folder("kept");
    let library = support::library(&folder, "counter", COUNTER);
    let text = format!("[host]\nstate_dir = {:?}\n", folder.join("state"));
    let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
    let start =
        || Host::builder().libraries(std::slice::from_ref(&library)).configuration(configuration.clone()).start();
    let host = start().unwrap();
    (0..5).for_each(|tick_number| drop(host.runtime().publish(&Tick { timestamp_ns: 0, tick_number })));
    host.stop().unwrap();
    let host = start().unwrap();
    // What happens as late as that is in it.
    assert_eq!(host.runtime().call::<(), u64>("counter.count", ()).unwrap(), 105);
    host.stop().unwrap();

    let file = folder.join("state/counter.state");
    let whole = fs::read(&file).unwrap();
    for (bytes, says) in [
        (whole[..whole.len() - 1].to_vec(), "is cut off or goes on: found 1 bytes, expected 2"),
        ([&whole[..whole.len() - 1], b"\x07"].concat(), "is damaged: its checksum is"),
        (b"something else".to_vec(), "found no saved state, expected one"),
        (b"helix-state 1 module=counter".to_vec(), "the header of the saved state is damaged"),
    ] {
        fs::write(&file, bytes).unwrap();
        let fault = start().unwrap_err().to_string();
        assert!(fault.contains(says) && fault.contains("remove the file"), "{fault}");
    }
}

#[test]
fn a_host_that_is_asked_to_end_keeps_the_states() {
    let folder = support::folder("ended");
    let library = support::library(&folder, "counter", COUNTER);
    let (socket, config) = (folder.join("private/host.sock"), folder.join("host.toml"));
    let text = format!("[host]\nstate_dir = {:?}\nticks_a_second = 0\n", folder.join("state"));
    fs::write(&config, text).unwrap();
    let count = Verb::Call { request: "counter.count".into(), args: json!({}) };
    for round in 1..=2 {
        let mut process = Process::start(&library, &socket, &config);
        support::until("the host answers", || ask(&socket, count.clone()) == Some(json!((round - 1) * 101)));
        ask(&socket, Verb::Emit { event: "tick".into(), args: json!({ "timestamp_ns": 0, "tick_number": 0 }) })
            .unwrap();
        let pid = rustix::process::Pid::from_raw(process.0.id() as i32).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(process.0.wait().unwrap().success());
    }
}

/// A host in a process of its own.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    fn start(library: &Path, socket: &Path, config: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_helix"));
        command.arg("run").arg(library).arg("--quiet").arg("--socket").arg(socket).arg("--config").arg(config);
        Self(command.stdin(Stdio::null()).spawn().unwrap())
    }
}

fn ask(socket: &Path, verb: Verb) -> Option<Value> {
    let mut answer = None;
    let asked = Client::new(socket).ok()?.ask(verb, &mut |value| answer = Some(value));
    asked.ok().and(answer)
}

#[test]
fn a_host_that_is_killed_at_any_moment_leaves_nothing_half_written() {
    let folder = support::folder("killed");
    let first = fs::read(support::library(&folder, "counter", COUNTER)).unwrap();
    let (library, socket) = (folder.join("live.so"), folder.join("private/host.sock"));
    fs::write(&library, &first).unwrap();
    let (config, state) = (folder.join("host.toml"), folder.join("state/counter.state"));
    fs::write(&config, format!("[host]\nstate_dir = {:?}\n", folder.join("state"))).unwrap();
    let build = Verb::Call { request: "counter.build".into(), args: json!({}) };
    for round in 1..=20_u32 {
        let process = Process::start(&library, &socket, &config);
        support::until("the host answers", || ask(&socket, build.clone()).is_some());
        let number = format!("build number {round:08}");
        let bytes = support::patched(&first, b"build number 00000000", number.as_bytes());
        let whole = folder.join("whole");
        fs::write(&whole, bytes).unwrap();
        fs::rename(&whole, &library).unwrap();
        let socket = socket.clone();
        let asks = std::thread::spawn({
            let socket = socket.clone();
            // Stopping keeps the state, and starting takes it back.
            move || match round % 2 {
                0 => ask(&socket, Verb::Reload { module: "counter".into(), path: None }),
                _ => ask(&socket, Verb::Stop { module: "counter".into() }),
            }
        });
        // Somewhere in the middle of it: a reload takes a few milliseconds.
        std::thread::sleep(Duration::from_micros(u64::from(round) * 300));
        drop(process);
        drop(asks.join());
        // The library is what it was, and the next host comes up with it where the last one has left its socket.
        assert_eq!(Library::open(&library).unwrap().name(), "counter");
        if let Ok(envelope) = fs::read(&state) {
            SavedState::from_envelope(&envelope).expect("a state is written whole or not at all");
        }
        let next = Process::start(&library, &socket, &config);
        support::until("the next host answers", || ask(&socket, build.clone()) == Some(json!(number)));
        drop(next);
    }
    // What the killed ones had copied was removed by those that came after; the last one's is swept by the next.
    drop(helix_host::Loader::new().unwrap());
    let left = fs::read_dir(std::env::temp_dir()).unwrap().flatten().filter(|entry| {
        let is_one = entry.file_name().to_string_lossy().starts_with("helix-libraries-");
        let lock = fs::File::open(entry.path().join("lock"));
        is_one && lock.is_ok_and(|lock| lock.try_lock().is_ok())
    });
    assert_eq!(left.count(), 0);
}
