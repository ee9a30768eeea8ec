//! Modules in processes of their own: what they may not do, and what becomes of those that crash, hang or end.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod support;

use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use helix_host::{Configuration, Host};
use helix_runtime::{Custom, Event, EventResponse, EventSubscription, EventTopic, ModuleState};

/// Tries what it is told, and says how that went.
const ENEMY: &str = r#"
use std::io::Read;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use helix_runtime::prelude::*;

unsafe extern "C" {
    fn kill(pid: i32, signal: i32) -> i32;
    fn ptrace(request: i64, pid: i32, address: usize, data: usize) -> i64;
    fn fork() -> i32;
    fn getppid() -> i32;
    fn _exit(code: i32) -> !;
}

#[helix_module(name = "enemy", flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct Enemy { #[config(default = "")] fail: String, count: u64 }

fn told<T>(result: std::io::Result<T>) -> Result<(), String> { result.map(|_| ()).map_err(|error| error.to_string()) }
fn is(done: bool) -> Result<(), String> { done.then_some(()).ok_or_else(|| std::io::Error::last_os_error().to_string()) }

fn end(how: &str) {
    match how {
        "hang" => loop { std::thread::sleep(std::time::Duration::from_secs(1)) },
        "exit" => std::process::exit(0),
        "abort" => { eprintln!("the last words"); std::process::abort() }
        "kill" => unsafe { kill(std::process::id() as i32, 9); },
        "panic" => panic!("told to panic"),
        _ => {}
    }
}

#[helix_handlers]
impl Enemy {
    #[on_init]
    fn init(&self) { if let Some(how) = self.fail.strip_prefix("init-") { end(how) } }
    #[on_start]
    fn start(&self) { if let Some(how) = self.fail.strip_prefix("start-") { end(how) } }
    #[on_stop]
    fn stop(&self) { if let Some(how) = self.fail.strip_prefix("stop-") { end(how) } }
    #[on_health]
    fn health(&self) -> bool { if let Some(how) = self.fail.strip_prefix("health-") { end(how) }; true }
    #[on_save(version = 1)]
    fn save(&self) -> u64 { if let Some(how) = self.fail.strip_prefix("save-") { end(how) }; self.count }
    #[on_restore(version = 1)]
    fn restore(&mut self, count: u64) { self.count = count; }
    #[on_event("end")]
    fn hears_end(&self) { if let Some(how) = self.fail.strip_prefix("event-") { end(how) } }
    #[on_request]
    fn end(&self, how: String) { end(&how) }
    #[on_request]
    fn add(&mut self) -> u64 { self.count += 1; self.count }
    #[on_request]
    fn pid(&self) -> u32 { std::process::id() }
    #[on_request]
    fn environment(&self) -> Vec<String> { std::env::vars().map(|(name, _)| name).collect() }
    #[on_request]
    fn standard_input(&self) -> u64 { std::io::stdin().read(&mut [0; 16]).unwrap() as u64 }
    #[on_request]
    fn says(&self, line: String) { println!("{line}"); }
    #[on_request]
    fn attempt(&self, what: String, at: String) -> Result<(), String> {
        match what.as_str() {
            "read" => told(std::fs::read(at)),
            "write" => told(std::fs::write(at, "mine")),
            "list" => told(std::fs::read_dir(at)),
            "tcp" => told(std::net::TcpStream::connect(at)),
            "listen" => told(std::net::TcpListener::bind("127.0.0.1:0")),
            "udp" => told(std::net::UdpSocket::bind("127.0.0.1:0")),
            "path" => told(UnixStream::connect(at)),
            "abstract" => told(SocketAddr::from_abstract_name(at).and_then(|name| UnixStream::connect_addr(&name))),
            "fork" => match unsafe { fork() } { 0 => unsafe { _exit(0) }, pid => is(pid > 0) },
            "exec" => told(std::process::Command::new("/bin/true").status()),
            "kill" => is(unsafe { kill(getppid(), 0) } == 0),
            "trace" => is(unsafe { ptrace(0x4206, getppid(), 0, 0) } == 0),
            "memory" => {
                let mut all: Vec<u8> = Vec::new();
                all.try_reserve_exact(1 << 30).map_err(|error| error.to_string())?;
                all.resize(1 << 30, 1);
                is(std::hint::black_box(all).len() == 1 << 30)
            }
            "files" => {
                let files: std::io::Result<Vec<_>> = (0..400).map(|_| std::fs::File::open("/dev/null")).collect();
                told(files)
            }
            _ => Err("no such attempt".into()),
        }
    }
}
"#;

static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| support::library(&support::folder("enemy"), "enemy", ENEMY));

/// A host with the enemy in a process of its own.
fn start(folder: &Path, placing: &str, more: &str) -> Result<Host, helix_host::HostFault> {
    let text = format!(
        "[host]\ncommand = {:?}\ndata_dir = {:?}\nmodules.enemy = {{ isolation = \"process\"{placing} }}\n{more}",
        env!("CARGO_BIN_EXE_helix"),
        folder.join("data"),
    );
    let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
    let builder = Host::builder().libraries(std::slice::from_ref(&*LIBRARY)).configuration(configuration);
    builder.runtime(|builder| builder.supervision(helix_runtime::Supervision::NEVER)).start()
}

fn state(host: &Host) -> ModuleState {
    host.runtime().modules()[0].state
}

/// Tries something in a fresh host. What it says, or what became of it.
fn attempt(folder: &Path, placing: &str, what: &str, at: &str) -> Result<(), String> {
    let host = start(folder, placing, "").unwrap();
    match host.runtime().call::<(&str, &str), Result<(), String>>("enemy.attempt", (what, at)) {
        Ok(done) => done,
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn what_the_sandbox_keeps_it_from_it_can_do_without() {
    let folder = support::folder("sandbox");
    let data = folder.join("data/enemy");
    std::fs::create_dir_all(&data).unwrap();
    let outside = folder.join("outside");
    std::fs::write(&outside, "ours").unwrap();
    let (own, link) = (data.join("own"), data.join("link"));
    std::os::unix::fs::symlink(&outside, &link).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let path = UnixListener::bind(folder.join("path.sock")).unwrap();
    let name = format!("helix-test-{}", std::process::id());
    let abstracted = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_string();
    let (denied, killed) = ("Permission denied", "killed by SIGSYS");
    for (what, at, says) in [
        ("read", text(&outside), denied),
        ("write", text(&outside), denied),
        ("write", text(&folder.join("new")), denied),
        ("list", text(&folder), denied),
        ("read", text(&link), denied),
        ("write", text(&link), denied),
        ("tcp", tcp.local_addr().unwrap().to_string(), killed),
        ("listen", String::new(), killed),
        ("udp", String::new(), killed),
        ("path", text(&folder.join("path.sock")), killed),
        ("abstract", name.clone(), killed),
        ("fork", String::new(), killed),
        ("exec", String::new(), killed),
        ("kill", String::new(), killed),
        ("trace", String::new(), killed),
        ("memory", String::new(), "memory allocation failed"),
        ("files", String::new(), "Too many open files"),
    ] {
        let found = attempt(&folder, "", what, &at).unwrap_err();
        assert!(found.contains(says), "{what} {at}: {found}");
        let free = attempt(&folder, ", sandbox = false", what, &at);
        assert_eq!(free, Ok(()), "{what} {at} without a sandbox");
    }
    for what in ["write", "read"] {
        assert_eq!(attempt(&folder, "", what, &text(&own)), Ok(()), "its own directory");
    }
    drop((path, abstracted));
}

#[test]
fn a_process_that_ends_is_told_with_its_cause_and_the_host_goes_on() {
    let folder = support::folder("ends");
    for (how, cause) in [
        ("exit", "its process has exited with 0"),
        ("abort", "its process was killed by SIGABRT\n  the last words"),
        ("hang", "it has not answered for 300ms"),
        ("panic", "panicked: told to panic"),
    ] {
        let host = start(&folder, ", deadline_ms = 300", "").unwrap();
        let (tells, told) = std::sync::mpsc::channel();
        let tells = std::sync::Mutex::new(tells);
        let hears = move |event: &Event| {
            tells.lock().unwrap().send(event.name().to_string()).unwrap();
            EventResponse::Handled
        };
        let subscription = EventSubscription::new("test", vec![EventTopic::Module], Box::new(hears));
        host.runtime().bus().subscribe(subscription).unwrap();
        let error = host.runtime().call::<(&str,), ()>("enemy.end", (how,)).unwrap_err().to_string();
        assert!(error.contains(cause), "{how}: {error}");
        assert_eq!(told.recv_timeout(Duration::from_secs(5)).unwrap(), "module.crashed");
        assert_eq!(state(&host), ModuleState::Failed);
        let error = host.runtime().call::<(), u64>("enemy.add", ()).unwrap_err().to_string();
        assert!(error.contains("is failed, not running"), "{error}");
    }
}

#[test]
fn a_process_that_is_killed_while_nobody_speaks_to_it_is_missed_at_once() {
    let folder = support::folder("killed-idle");
    let host = start(&folder, "", "").unwrap();
    assert_eq!(host.runtime().call::<(), u64>("enemy.add", ()).unwrap(), 1);
    let pid = host.runtime().call::<(), u32>("enemy.pid", ()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    support::until("it is missed", || state(&host) == ModuleState::Failed);
}

#[test]
fn it_fails_in_each_step_of_its_life_and_never_hangs_the_host() {
    let folder = support::folder("steps");
    for how in ["exit", "abort", "hang", "panic"] {
        for step in ["init", "start"] {
            let error =
                start(&folder, ", deadline_ms = 300", &format!("[enemy]\nfail = \"{step}-{how}\"\n")).unwrap_err();
            let error = error.to_string();
            assert!(error.contains(&format!("on_{step}")), "{step} {how}: {error}");
        }
        for step in ["stop", "health", "save", "event"] {
            let host = start(&folder, ", deadline_ms = 300", &format!("[enemy]\nfail = \"{step}-{how}\"\n")).unwrap();
            let found = match step {
                "stop" => host.stop().map_err(|error| error.to_string()),
                "health" => {
                    let health = host.runtime().health().remove(0);
                    health.reason.map_or(Ok(()), |reason| Err(reason.to_string()))
                }
                "save" => host.runtime().save("enemy").map(drop).map_err(|error| error.to_string()),
                _ => {
                    let result = host.runtime().publish(&Event::Custom(Custom::new("end", vec![])));
                    result.first_error.map_or(Ok(()), |(_, error)| Err(error.to_string()))
                }
            };
            let found = found.unwrap_err();
            assert!(found.contains("has crashed") || found.contains("panicked"), "{step} {how}: {found}");
        }
    }
}

#[test]
fn its_world_is_empty_but_for_what_it_was_given() {
    let folder = support::folder("world");
    let host = start(&folder, "", "").unwrap();
    assert_eq!(host.runtime().call::<(), Vec<String>>("enemy.environment", ()).unwrap(), Vec::<String>::new());
    assert_eq!(host.runtime().call::<(), u64>("enemy.standard_input", ()).unwrap(), 0);
    assert_eq!(host.modules()[0].place, "process");
}

#[test]
fn it_is_replaced_with_its_state_by_another_process() {
    let folder = support::folder("replaced");
    let host = start(&folder, "", "").unwrap();
    for count in 1..=3 {
        assert_eq!(host.runtime().call::<(), u64>("enemy.add", ()).unwrap(), count);
    }
    let bytes = std::fs::read(&*LIBRARY).unwrap();
    let next = folder.join("next.so");
    std::fs::write(&next, support::patched(&bytes, b"no such attempt", b"NO SUCH ATTEMPT")).unwrap();
    let reloaded = host.reload("enemy", Some(&next)).unwrap();
    assert!(reloaded.changed && reloaded.generation == 2);
    assert_eq!(host.runtime().call::<(), u64>("enemy.add", ()).unwrap(), 4);
    let said = host.runtime().call::<(&str, &str), Result<(), String>>("enemy.attempt", ("", "")).unwrap();
    assert_eq!(said, Err("NO SUCH ATTEMPT".into()));
}
