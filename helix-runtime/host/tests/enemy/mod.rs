//! A module that tries what it is told to, and a host that has it in a process of its own.
#![allow(dead_code, reason = "each test uses some of it")]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use helix_host::{Configuration, Host};
use helix_runtime::ModuleState;

use crate::support;

/// Tries what it is told, and says how that went.
const SOURCE: &str = r#"
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
    fn fcntl(file: i32, command: i32, ...) -> i32;
    fn setsockopt(file: i32, level: i32, name: i32, value: *const i32, length: u32) -> i32;
    fn mprotect(at: isize, length: usize, access: i32) -> i32;
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
        "spin" => loop { std::hint::spin_loop() },
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
            "eats" => { let mut all = Vec::new(); loop { all.push(vec![1_u8; 1 << 20]) } }
            "hidden" => {
                // Written, and then no data any more.
                let hide = |_| unsafe {
                    let at = mmap(0, 1 << 20, 3, 0x22, -1, 0);
                    if at == -1 { return false }
                    std::ptr::write_bytes(at as *mut u8, 1, 1 << 20);
                    mprotect(at, 1 << 20, 1) == 0
                };
                is((0..1 << 10).all(hide))
            }
            "setuid" => {
                let _ = std::fs::remove_file(&at);
                let mode = |options: &mut std::fs::OpenOptions| { std::os::unix::fs::OpenOptionsExt::mode(options, 0o4755); };
                let mut options = std::fs::OpenOptions::new();
                mode(options.write(true).create_new(true));
                told(options.open(&at))
            }
            "buffer" => {
                let more = 1_i32;
                // Of any channel or stream that there is: SOL_SOCKET, SO_RCVBUF.
                is((3..40).any(|file| unsafe { setsockopt(file, 1, 8, &more, 4) == 0 }))
            }
            "pipe" => {
                let (reads, _writes) = std::io::pipe().map_err(|error| error.to_string())?;
                // F_SETPIPE_SZ
                is(unsafe { fcntl(std::os::fd::AsRawFd::as_raw_fd(&reads), 1031, 1 << 16) } > 0)
            }
            "times" => told(std::fs::File::open(&at).and_then(|file| file.set_modified(std::time::SystemTime::UNIX_EPOCH))),
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

pub static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| support::library(&support::folder("enemy"), "enemy", SOURCE));

/// A host with the enemy in a process of its own.
pub fn start(folder: &Path, placing: &str, more: &str) -> Result<Host, helix_host::HostFault> {
    let text = format!(
        "[host]\ncommand = {:?}\ndata_dir = {:?}\nmodules.enemy = {{ isolation = \"process\"{placing} }}\n{more}",
        env!("CARGO_BIN_EXE_helix"),
        folder.join("data"),
    );
    let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
    let builder = Host::builder().libraries(std::slice::from_ref(&*LIBRARY)).configuration(configuration);
    builder.runtime(|builder| builder.supervision(helix_runtime::Supervision::NEVER)).start()
}

pub fn state(host: &Host) -> ModuleState {
    host.runtime().modules()[0].state
}

/// Tries something in a fresh host. What it says, or what became of it.
pub fn attempt(folder: &Path, placing: &str, what: &str, at: &str) -> Result<(), String> {
    let host = start(folder, placing, "").unwrap();
    match host.runtime().call::<(&str, &str), Result<(), String>>("enemy.attempt", (what, at)) {
        Ok(done) => done,
        Err(error) => Err(error.to_string()),
    }
}
