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

use helix_host::{Configuration, Host, Placings};
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
    fn fcntl(file: i32, command: i32) -> i32;
    fn mmap(at: usize, length: usize, access: i32, flags: i32, file: i32, from: i64) -> isize;
}

#[helix_module(name = "enemy", flags = HOT_RELOADABLE, permissions = ["call/friend", "publish/enemy", "subscribe/end", "secret"])]
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
    fn end(&self, how: String, ctx: &Context) {
        if let Some(folder) = ctx.data_dir() { let _ = std::fs::write(format!("{folder}/{how}s"), ""); }
        end(&how)
    }
    #[on_request]
    fn add(&mut self) -> u64 { self.count += 1; self.count }
    #[on_request]
    fn chat(&self, ctx: &Context) { loop { let _ = ctx.config("fail"); } }
    #[on_request]
    fn pid(&self) -> u32 { std::process::id() }
    #[on_request]
    fn environment(&self) -> Vec<String> { std::env::vars().map(|(name, _)| name).collect() }
    #[on_request]
    fn standard_input(&self) -> u64 { std::io::stdin().read(&mut [0; 16]).unwrap() as u64 }
    #[on_request]
    fn says(&self, line: String) { println!("{line}"); }
    #[on_request]
    fn asks(&self, path: String, ctx: &Context) -> Result<u64, String> {
        ctx.call::<(), u64>(&path, ()).map_err(|error| error.to_string())
    }
    #[on_request]
    fn publishes(&self, name: String, ctx: &Context) -> Result<u32, String> {
        let result = if name == "module.crashed" {
            ctx.publish(&ModuleCrashed { name: "friend".try_into().unwrap(), cause: Default::default() })
        } else {
            ctx.publish(&Event::Custom(Custom::new(name, vec![])))
        };
        result.first_error.map_or(Ok(result.handled), |(_, error)| Err(error.to_string()))
    }
    #[on_request]
    fn hears(&self, name: String, ctx: &Context) -> Result<(), String> {
        let topics = vec![helix_runtime::EventTopic::Custom(name.into())];
        let hear = |event: &Event| {
            if event.name() == "friend.abort" { std::process::abort() }
            EventResponse::Handled
        };
        let subscription = helix_runtime::EventSubscription::new("ear", topics, Box::new(hear));
        ctx.subscribe(subscription).map(drop).map_err(|error| error.to_string())
    }
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
                unsafe { std::ptr::write_bytes(all.as_mut_ptr(), 1, 1 << 30); all.set_len(1 << 30) }
                is(std::hint::black_box(all).len() == 1 << 30)
            }
            "shared" => is(unsafe { mmap(0, 1 << 20, 3, 0x21, -1, 0) } != -1),
            "grows" => is(unsafe { mmap(0, 1 << 20, 3, 0x122, -1, 0) } != -1),
            "mode" => told(std::fs::set_permissions(at, std::os::unix::fs::PermissionsExt::from_mode(0o600))),
            "nap" => { std::thread::sleep(std::time::Duration::from_millis(10)); Ok(()) }
            "link" => told(std::os::unix::fs::symlink("elsewhere", at)),
            "pair" => told(std::os::unix::net::UnixDatagram::pair()),
            "inherited" => is(unsafe { fcntl(at.parse().unwrap(), 1) } >= 0),
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
        ("shared", String::new(), "not permitted"),
        ("grows", String::new(), "not permitted"),
        ("pair", String::new(), "not permitted"),
    ] {
        let found = attempt(&folder, "", what, &at).unwrap_err();
        assert!(found.contains(says), "{what} {at}: {found}");
        let free = attempt(&folder, ", sandbox = false", what, &at);
        assert_eq!(free, Ok(()), "{what} {at} without a sandbox");
    }
    // With the network it reaches that, and no program of this machine by its socket.
    let network = ", network = true";
    assert_eq!(attempt(&folder, network, "tcp", &tcp.local_addr().unwrap().to_string()), Ok(()));
    assert_eq!(attempt(&folder, network, "udp", ""), Ok(()));
    for (what, at) in [("path", text(&folder.join("path.sock"))), ("abstract", name.clone())] {
        let found = attempt(&folder, network, what, &at).unwrap_err();
        assert!(found.contains("not permitted"), "{what}: {found}");
    }
    for what in ["write", "read", "mode"] {
        assert_eq!(attempt(&folder, "", what, &text(&own)), Ok(()), "its own directory");
    }
    assert_eq!(attempt(&folder, "", "link", &text(&data.join("another"))), Ok(()));
    drop((path, abstracted));
}

#[test]
fn a_process_that_ends_is_told_with_its_cause_and_the_host_goes_on() {
    let folder = support::folder("ends");
    for (how, cause) in [
        ("exit", "its process has exited with 0"),
        ("abort", "its process was killed by SIGABRT\n  the last words"),
        ("hang", "it has not answered for 1s"),
        ("panic", "panicked: told to panic"),
    ] {
        let host = start(&folder, ", deadline_ms = 1000", "").unwrap();
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
        assert_eq!(told.recv_timeout(Duration::from_secs(60)).unwrap(), "module.crashed");
        assert_eq!(state(&host), ModuleState::Failed);
        let error = host.runtime().call::<(), u64>("enemy.add", ()).unwrap_err().to_string();
        assert!(error.contains("is failed, not running"), "{error}");
    }
}

#[test]
fn it_inherits_nothing_that_the_host_has_open() {
    let folder = support::folder("inherited");
    let file = std::fs::File::open("/dev/null").unwrap();
    // High, so that nothing of the process's own has that number.
    let open = rustix::io::fcntl_dupfd_cloexec(&file, 150).unwrap();
    rustix::io::fcntl_setfd(&open, rustix::io::FdFlags::empty()).unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&open).to_string();
    for placing in ["", ", sandbox = false"] {
        let found = attempt(&folder, placing, "inherited", &number).unwrap_err();
        assert!(found.contains("Bad file descriptor"), "{found}");
    }
}

#[test]
fn a_slip_of_the_pen_in_the_configuration_lets_nobody_out() {
    let start = |host: &str| {
        let text = format!("[host]\ncommand = {:?}\n{host}\n", env!("CARGO_BIN_EXE_helix"));
        let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
        let builder = Host::builder().libraries(std::slice::from_ref(&*LIBRARY)).configuration(configuration);
        builder.start().unwrap_err().to_string()
    };
    let fault = start("modules.enmy = { isolation = \"process\" }");
    assert!(fault.contains("host.modules.enmy: found no module of that name, expected one of: enemy"), "{fault}");
    let fault =
        start("modules.enemy = { isolation = \"process\", grant = [\"cal/friend\", \"call\", \"call/friend.open\"] }");
    assert_eq!(fault.lines().count(), 1, "{fault}");
    assert!(
        fault.contains("host.modules.enemy.grant: found `cal/friend`, expected of what it asks for: call/friend"),
        "{fault}"
    );
}

#[test]
fn what_is_said_of_programs_that_join_has_to_be_whole() {
    let text = format!("[host]\ncommand = {:?}\nmodules.enemy = {{ joins = true }}\n", env!("CARGO_BIN_EXE_helix"));
    let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
    let builder = Host::builder().libraries(std::slice::from_ref(&*LIBRARY)).configuration(configuration);
    let fault = builder.start().unwrap_err().to_string();
    assert!(fault.contains("host.modules.enemy.joins: found a library of that module, expected none"), "{fault}");
    assert!(fault.contains("found no `join` in the table [host], expected the socket"), "{fault}");
}

#[test]
fn who_hangs_when_the_host_ends_is_ended_when_the_time_is_over_that_was_told() {
    let folder = support::folder("hurried");
    let host = start(&folder, ", deadline_ms = 600000", "maintenance = { timeout_s = 1 }\n").unwrap();
    std::thread::scope(|scope| {
        let hung = scope.spawn(|| host.runtime().call::<(&str,), ()>("enemy.end", ("hang",)).unwrap_err().to_string());
        support::until("it hangs", || std::fs::exists(folder.join("data/enemy/hangs")).unwrap());
        let began = std::time::Instant::now();
        // That it has crashed is told to whoever has called it.
        let _ = host.shut_down();
        assert!(began.elapsed() < Duration::from_secs(120), "{:?}", began.elapsed());
        let error = hung.join().unwrap();
        assert!(error.contains("it has not answered for 1s"), "{error}");
    });
}

#[test]
fn as_many_as_there_are_files_for_speak_with_it_at_a_time_and_the_others_wait() {
    let folder = support::folder("many");
    let host = start(&folder, ", files = 32", "").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..60 {
            scope.spawn(|| {
                let call = host.runtime().call::<(&str, &str), Result<(), String>>("enemy.attempt", ("nap", ""));
                assert_eq!(call, Ok(Ok(())));
            });
        }
    });
}

#[test]
fn a_process_that_ends_in_a_closure_is_missed_and_that_is_told_once() {
    let folder = support::folder("closure");
    let host = start(&folder, "", "").unwrap();
    let crashes = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counts = crashes.clone();
    let hears = move |event: &Event| {
        counts.fetch_add(u32::from(event.name() == "module.crashed"), std::sync::atomic::Ordering::Relaxed);
        EventResponse::Handled
    };
    host.runtime().bus().subscribe(EventSubscription::new("test", vec![EventTopic::Module], Box::new(hears))).unwrap();
    assert_eq!(host.runtime().call::<(&str,), Result<(), String>>("enemy.hears", ("friend.abort",)).unwrap(), Ok(()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            // They are inside when it ends, or come too late.
            scope.spawn(|| drop(host.runtime().call::<(&str,), ()>("enemy.end", ("hang",))));
        }
        let _ = host.runtime().publish(&Event::Custom(Custom::new("friend.abort", vec![])));
    });
    support::until("it is missed", || state(&host) == ModuleState::Failed);
    assert_eq!(crashes.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[test]
fn a_name_with_parts_has_no_directory_in_that_of_another() {
    let placings = Placings { data_dir: Some("/data".into()), ..Placings::default() };
    let mut info = helix_runtime::ModuleInfo::new("a/b");
    info.flags = helix_runtime::ModuleFlags::USERSPACE;
    assert_eq!(placings.data_dir_of(&info), Some("/data/a+b".into()));
}

#[test]
fn one_that_asks_for_ever_is_as_late_as_one_that_is_silent() {
    let folder = support::folder("chat");
    let host = start(&folder, ", deadline_ms = 1000", "").unwrap();
    let error = host.runtime().call::<(), ()>("enemy.chat", ()).unwrap_err().to_string();
    assert!(error.contains("it has not answered for 1s"), "{error}");
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
                start(&folder, ", deadline_ms = 1000", &format!("[enemy]\nfail = \"{step}-{how}\"\n")).unwrap_err();
            let error = error.to_string();
            assert!(error.contains(&format!("on_{step}")), "{step} {how}: {error}");
        }
        for step in ["stop", "health", "save", "event"] {
            let host = start(&folder, ", deadline_ms = 1000", &format!("[enemy]\nfail = \"{step}-{how}\"\n")).unwrap();
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

/// A module that is linked to the host.
mod friend {
    use helix_runtime::prelude::*;

    /// Answers.
    #[helix_module(name = "friend")]
    #[derive(Default)]
    pub struct Friend;

    #[helix_handlers]
    impl Friend {
        #[on_request]
        fn open(&self) -> u64 {
            7
        }

        #[on_request(permission = "secret")]
        fn secret(&self) -> u64 {
            8
        }
    }
}

#[test]
fn it_may_do_what_it_asks_for_and_is_granted_and_nothing_else() {
    let start = |grant: &str| {
        let text = format!(
            "[host]\ncommand = {:?}\nmodules.enemy = {{ isolation = \"process\"{grant} }}\n",
            env!("CARGO_BIN_EXE_helix")
        );
        let builder = Host::builder().modules(helix_runtime::modules![friend::Friend]);
        let builder = builder.libraries(std::slice::from_ref(&*LIBRARY));
        builder.configuration(Configuration::parse(&text, Path::new("host.toml")).unwrap()).start()
    };
    let told = |host: &Host, request: &str, what: &str| -> Result<(), String> {
        let runtime = host.runtime();
        match request {
            "hears" => runtime.call::<(&str,), Result<(), String>>("enemy.hears", (what,)).unwrap(),
            "asks" => runtime.call::<(&str,), Result<u64, String>>("enemy.asks", (what,)).unwrap().map(drop),
            _ => runtime.call::<(&str,), Result<u32, String>>("enemy.publishes", (what,)).unwrap().map(drop),
        }
    };
    let all = [("asks", "friend.open"), ("asks", "friend.secret"), ("publishes", "enemy.says"), ("hears", "net")];
    let host = start("").unwrap();
    for (request, what) in all {
        assert_eq!(told(&host, request, what), Ok(()), "{request} {what}");
    }
    let forged = told(&host, "publishes", "module.crashed").unwrap_err();
    assert!(forged.contains("may not publish `module.crashed`"), "{forged}");
    drop(host);

    let host = start(", grant = [\"call\", \"subscribe/end\", \"publish\"]").unwrap();
    for ((request, what), says) in all.into_iter().zip([
        None,
        Some("needs the permission `secret`"),
        None,
        Some("may not hear `net`: it needs the permission `subscribe/net`"),
    ]) {
        match (told(&host, request, what), says) {
            (Ok(()), None) => {}
            (Err(error), Some(says)) if error.contains(says) => {}
            (found, _) => panic!("{request} {what}: {found:?}"),
        }
    }
    let error = told(&host, "asks", "enemy.add").unwrap_err();
    assert!(error.contains("may not call `enemy.add`"), "{error}");
    let permits = host.permissions().remove(0);
    assert_eq!(permits.used["call/friend.open"], 1);
    assert_eq!(permits.denied, [("call/enemy.add".to_string(), 1), ("subscribe/net".into(), 1)].into());
    drop(host);

    let error = start(", grant = []").unwrap_err().to_string();
    assert!(error.contains("may not hear `end`"), "{error}");
}

/// A program that speaks to its host as it likes: what it has for standard input is the socket.
fn liar(folder: &Path, name: &str, script: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().into()
}

#[test]
fn a_program_that_is_no_server_of_modules_is_told_so() {
    let folder = support::folder("liars");
    let greets = r"printf 'helixipc\001\000\001\000' >&0";
    for (name, script, says) in [
        ("silent", "sleep 30", "it was not ready after 1s"),
        ("ends", "exit 3", "its process has exited with 3"),
        ("speaks", "echo oh dear >&2; exit 3", "has exited with 3\n  oh dear"),
        ("garbage", "printf 'GET / HTTP/1.1\\r\\n' >&0; sleep 30", "found the preamble \"GET / HTTP/1\""),
        ("waits", &format!("{greets}; printf '\\001' >&0; sleep 30"), "it was not ready after 1s"),
        ("long", &format!("{greets}; printf '\\377\\377\\377\\177' >&0; sleep 30"), "a frame of 2147483647 bytes"),
        ("odd", &format!("{greets}; printf '\\002\\000\\000\\000\\143\\143' >&0; sleep 30"), "it was not understood"),
        ("cut", &format!("{greets}; printf '\\100\\000\\000\\000abc' >&0"), "has exited with 0"),
    ] {
        let program = liar(&folder, name, script);
        let text = format!(
            "[host]\ncommand = {program:?}\nmodules.enemy = {{ isolation = \"process\", deadline_ms = 1000 }}\n"
        );
        let builder = Host::builder().libraries(std::slice::from_ref(&*LIBRARY));
        let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
        let fault = builder.configuration(configuration).start().unwrap_err().to_string();
        assert!(fault.contains(says), "{name}: {fault}");
    }
}

#[test]
fn two_hosts_do_not_share_a_directory() {
    let folder = support::folder("shared");
    let host = start(&folder, "", "").unwrap();
    let fault = start(&folder, "", "").unwrap_err().to_string();
    assert!(
        fault.ends_with("data: found another host that uses it, expected one's own; give each host a `data_dir`"),
        "{fault}"
    );
    drop(host);
    start(&folder, "", "").unwrap();
}

#[test]
fn its_world_is_empty_but_for_what_it_was_given() {
    let folder = support::folder("world");
    let host = start(&folder, "", "").unwrap();
    assert_eq!(host.runtime().call::<(), Vec<String>>("enemy.environment", ()).unwrap(), Vec::<String>::new());
    assert_eq!(host.runtime().call::<(), u64>("enemy.standard_input", ()).unwrap(), 0);
    assert_eq!(host.modules()[0].place, "process");
    let process = host.info("enemy").unwrap().process.unwrap();
    assert_eq!(process.pid, host.runtime().call::<(), u32>("enemy.pid", ()).unwrap());
    let applied = ["memory 256 MiB", "256 files", "no core dumps", "no_new_privs", "landlock", "seccomp"];
    assert_eq!(process.sandbox, applied);
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
