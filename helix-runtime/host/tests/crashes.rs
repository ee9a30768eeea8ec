//! Processes that are killed at any moment while they are asked, and hosts that are killed with processes about.
//!
//! `HELIX_KILLS` says how often; the default is what fits into every run.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use helix_host::control::{Client, Verb};
use helix_host::{Configuration, Host};
use helix_runtime::{ModuleState, Supervision};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::json;

/// Writes down each number before it acknowledges it.
const LEDGER: &str = r#"
#![forbid(unsafe_code)]
use std::io::Write;
use helix_runtime::prelude::*;
/// Keeps a list of numbers on disk.
#[helix_module(name = "ledger", flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Ledger { file: Option<std::fs::File> }
#[helix_handlers]
impl Ledger {
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        let path = std::path::Path::new(ctx.data_dir().unwrap()).join("ledger");
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        self.file = Some(file.map_err(|error| ModuleError::new(error.to_string()))?);
        Ok(())
    }
    #[on_request]
    fn note(&mut self, number: u64) -> u64 {
        self.file.as_ref().unwrap().write_all(format!("{number}\n").as_bytes()).unwrap();
        number
    }
    #[on_request]
    fn pid(&self) -> u32 { std::process::id() }
}
"#;

/// Counts, in the same host.
const COUNTER: &str = r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;
/// Counts.
#[helix_module(name = "counter", flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Counter { count: u64 }
#[helix_handlers]
impl Counter {
    #[on_request]
    fn add(&mut self) -> u64 { self.count += 1; self.count }
}
"#;

fn pid(host: &Host) -> Option<Pid> {
    let pid = host.runtime().call::<(), u32>("ledger.pid", ()).ok()?;
    Pid::from_raw(i32::try_from(pid).ok()?)
}

/// How much memory this process has, in KiB.
fn memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn what_was_acknowledged_is_there_however_often_the_process_is_killed() {
    let kills: u32 = std::env::var("HELIX_KILLS").map_or(25, |kills| kills.parse().unwrap());
    let folder = support::folder("crashes");
    let libraries = [support::library(&folder, "ledger", LEDGER), support::library(&folder, "counter", COUNTER)];
    let _ = fs::remove_dir_all(folder.join("data"));
    let text = format!(
        "[host]\ncommand = {:?}\ndata_dir = {:?}\nmodules.ledger = {{ isolation = \"process\" }}\n",
        env!("CARGO_BIN_EXE_helix"),
        folder.join("data"),
    );
    let eager = Supervision {
        intensity: u32::MAX,
        backoff: Duration::from_millis(1),
        longest_backoff: Duration::from_millis(1),
        ..Supervision::default()
    };
    let builder = Host::builder().libraries(&libraries);
    let builder = builder.configuration(Configuration::parse(&text, Path::new("host.toml")).unwrap());
    let host = builder.runtime(move |builder| builder.supervision(eager)).start().unwrap();
    let (next, ended) = (AtomicU64::new(1), AtomicBool::new(false));
    // A bit for each number that was acknowledged: what the test itself remembers does not grow with it.
    let acknowledged: Vec<AtomicU64> = (0..1 << 18).map(|_| AtomicU64::new(0)).collect();
    let is_acknowledged = |number: u64| &acknowledged[number as usize / 64 % acknowledged.len()];
    let mut before = 0;
    let (count, counted) = std::thread::scope(|scope| {
        let asks = || {
            scope.spawn(|| {
                let mut count = 0_u64;
                while !ended.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    match host.runtime().call::<(u64,), u64>("ledger.note", (number,)) {
                        Ok(noted) => {
                            count += 1;
                            is_acknowledged(noted).fetch_or(1 << (noted % 64), Ordering::Relaxed);
                        }
                        // It is killed, or not there again yet.
                        Err(_) => std::thread::yield_now(),
                    }
                }
                count
            })
        };
        let callers = [asks(), asks()];
        let counter = scope.spawn(|| {
            let mut count = 0;
            while !ended.load(Ordering::Relaxed) {
                count += 1;
                assert_eq!(host.runtime().call::<(), u64>("counter.add", ()).unwrap(), count);
            }
            count
        });
        for kill in 0..kills {
            let mut found = None;
            support::until("it is there again", || {
                found = pid(&host);
                found.is_some()
            });
            if kill == kills / 5 {
                before = memory();
            }
            // In the middle of whatever the callers ask just then.
            let asked = next.load(Ordering::Relaxed);
            support::until("it is asked", || next.load(Ordering::Relaxed) > asked + u64::from(kill % 7));
            let _ = kill_process(found.unwrap(), Signal::KILL);
        }
        support::until("it is there again", || pid(&host).is_some());
        ended.store(true, Ordering::Relaxed);
        (callers.map(|caller| caller.join().unwrap()).iter().sum::<u64>(), counter.join().unwrap())
    });
    let grown = memory().saturating_sub(before);
    let ledger = fs::read_to_string(folder.join("data/ledger/ledger")).unwrap();
    let mut noted: Vec<u64> = ledger.lines().map(|line| line.parse().unwrap()).collect();
    noted.sort_unstable();
    assert!(next.load(Ordering::Relaxed) < 64 << 18, "as many as there are bits for");
    let there =
        noted.iter().filter(|number| is_acknowledged(**number).load(Ordering::Relaxed) >> (**number % 64) & 1 == 1);
    let lost = count - there.count() as u64;
    println!("{kills} kills: {count} acknowledged, {counted} calls beside, {grown} KiB grown");
    assert_eq!(lost, 0, "of {count}");
    assert!(noted.windows(2).all(|pair| pair[0] != pair[1]), "none twice");
    let modules = host.runtime().modules();
    assert!(modules.iter().all(|module| module.state == ModuleState::Running));
    assert!(grown < 8 << 10, "{grown} KiB after {kills} kills");
    host.stop().unwrap();
}

#[test]
fn no_process_outlives_its_host() {
    let folder = support::folder("orphans");
    let library = support::library(&folder, "ledger", LEDGER);
    let (socket, config) = (folder.join("private/host.sock"), folder.join("host.toml"));
    let text =
        format!("[host]\ndata_dir = {:?}\nmodules.ledger = {{ isolation = \"process\" }}\n", folder.join("data"));
    fs::write(&config, text).unwrap();
    for signal in [Signal::KILL, Signal::TERM] {
        let mut helix = Command::new(env!("CARGO_BIN_EXE_helix"));
        helix.arg("run").arg(&library).arg("--quiet").arg("--socket").arg(&socket).arg("--config").arg(&config);
        let mut host = helix.stdin(Stdio::null()).spawn().unwrap();
        let mut found = None;
        support::until("the host answers", || {
            let verb = Verb::Call { request: "ledger.pid".into(), args: json!({}) };
            let Ok(client) = Client::new(&socket) else { return false };
            client.ask(verb, &mut |value| found = value.as_i64()).is_ok() && found.is_some()
        });
        let served = Pid::from_raw(i32::try_from(found.unwrap()).unwrap()).unwrap();
        assert!(test_kill_process(served).is_ok());
        kill_process(Pid::from_raw(i32::try_from(host.id()).unwrap()).unwrap(), signal).unwrap();
        host.wait().unwrap();
        support::until("its process is gone", || test_kill_process(served).is_err());
    }
}
