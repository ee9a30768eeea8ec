//! Modules and surroundings that mean no good: the host lives, says so, and loses nothing.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use helix_host::control::{Bound, Client, Server, Verb};
use helix_host::{Configuration, Host, HostFault};
use helix_runtime::prelude::*;
use helix_runtime::{EventSubscription, EventTopic, ModuleReloaded};

#[helix_message]
#[derive(Debug, Clone, EventType)]
#[event(topic = "bomb", name = "bomb.thrown")]
struct Thrown {
    number: u32,
}

const BOMB: &str = r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;

/// A value whose end is a panic.
#[helix_message]
#[derive(Debug, Clone, EventType)]
#[event(topic = "bomb", name = "bomb.thrown")]
pub struct Thrown { pub number: u32 }
impl Drop for Thrown {
    fn drop(&mut self) { if self.number == 13 { panic!("in its drop"); } }
}

#[helix_module(name = "bomb", flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct Bomb { count: u32, kept: Option<Handle> }

#[helix_handlers]
impl Bomb {
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        self.kept = Some(ctx.handle());
        let closure = |event: &Event| match event {
            Event::Custom(custom) => { custom.get::<Thrown>(); EventResponse::Handled }
            _ => EventResponse::Ignored,
        };
        ctx.subscribe(helix_runtime::EventSubscription::new("bomb's ear", vec![helix_runtime::EventTopic::Custom("bomb".into())], Box::new(closure)))?;
        Ok(())
    }
    #[on_event(Thrown, priority = LOW)]
    fn thrown(&mut self, _thrown: &Thrown) { self.count += 1; }
    #[on_request]
    fn make(&self, number: u32) -> Thrown { Thrown { number } }
    #[on_request]
    fn count(&mut self) -> u32 { self.count += 1; self.count }
    #[on_save(version = 1)]
    fn save(&self) -> u32 { self.count }
    #[on_restore(version = 1)]
    fn restore(&mut self, count: u32) { self.count = count; }
    /// Goes on after its instance has gone.
    #[on_request]
    fn linger(&self) -> Result<(), ModuleError> {
        let handle = self.kept.clone().ok_or("not initialized")?;
        std::thread::spawn(move || while handle.publish(&Tick { timestamp_ns: 1, tick_number: 1 }).is_ok() {
            std::thread::yield_now();
        });
        Ok(())
    }
}
"#;

static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| support::library(&support::folder("hostile-built"), "bomb", BOMB));

fn host() -> Host {
    Host::builder().libraries(std::slice::from_ref(&*LIBRARY)).start().unwrap()
}

#[test]
fn a_value_that_panics_when_it_is_dropped_ends_its_module_and_nothing_else() {
    let host = host();
    // What a closure has looked at, and the parameter of a handler.
    let heard = host.runtime().publish(&Thrown { number: 13 });
    assert_eq!(heard.failed, 2, "{heard:?}");
    drop(host);
    let host = self::host();
    // A reply.
    let error = host.runtime().call::<(u32,), Thrown>("bomb.make", (13,)).unwrap_err().to_string();
    assert!(error.contains("panicked: in its drop"), "{error}");
}

#[test]
fn a_handle_that_was_kept_goes_on_after_its_instance_and_ends_with_the_host() {
    let host = host();
    let folder = support::folder("linger");
    let bytes = fs::read(&*LIBRARY).unwrap();
    host.runtime().call::<(), ()>("bomb.linger", ()).unwrap();
    let path = folder.join("again.so");
    fs::write(&path, support::patched(&bytes, b"in its drop", b"in her drop")).unwrap();
    let (tells, told) = std::sync::mpsc::channel();
    let tell = move |_: &Event| {
        // The test may have seen enough.
        let _ = tells.send(());
        EventResponse::Handled
    };
    host.reload("bomb", Some(&path)).unwrap();
    host.runtime().subscribe(EventSubscription::new("ear", vec![EventTopic::Tick], Box::new(tell))).unwrap();
    told.recv_timeout(std::time::Duration::from_secs(30)).expect("the old generation's thread publishes");
    host.stop().unwrap();
}

#[test]
fn what_would_not_fit_together_is_told_across_the_boundary() {
    let host = host();
    let unfit = |_: &Request| Response::err("unused");
    host.runtime().router().register(77, "unfit", Box::new(unfit)).unwrap();
    // A change in the middle of a change is refused, whoever asks.
    let host = Arc::new(host);
    let again = host.clone();
    let (tells, told) = std::sync::mpsc::channel();
    let tell = move |event: &Event| {
        if let Event::ModuleReloaded(ModuleReloaded { .. }) = event {
            let _ = tells.send(again.stop_module("bomb").unwrap_err());
        }
        EventResponse::Handled
    };
    host.runtime().subscribe(EventSubscription::new("ear", vec![EventTopic::Module], Box::new(tell))).unwrap();
    let path = support::folder("reenter").join("again.so");
    fs::write(&path, support::patched(&fs::read(&*LIBRARY).unwrap(), b"in its drop", b"in our drop")).unwrap();
    host.reload("bomb", Some(&path)).unwrap();
    assert!(matches!(told.recv().unwrap(), HostFault::Changing));
}

fn lazy(test: &str) -> (Configuration, PathBuf) {
    let folder = support::folder(test);
    let text = format!("[host]\nlazy = [\"bomb\"]\nstate_dir = {:?}\n", folder.join("state"));
    (Configuration::parse(&text, Path::new("host.toml")).unwrap(), folder)
}

#[test]
fn a_lazy_module_is_there_for_all_who_ask_at_once_and_has_its_state() {
    let (configuration, _folder) = lazy("lazy");
    for round in 1..=3_u32 {
        let builder = Host::builder().libraries(std::slice::from_ref(&*LIBRARY));
        let host = builder.configuration(configuration.clone()).start().unwrap();
        assert_eq!(host.modules()[0].state, "lazy");
        let mut counts: Vec<u32> = std::thread::scope(|scope| {
            let ask = || scope.spawn(|| host.runtime().call::<(), u32>("bomb.count", ()).unwrap());
            let asked: Vec<_> = (0..4).map(|_| ask()).collect();
            asked.into_iter().map(|asked| asked.join().unwrap()).collect()
        });
        counts.sort();
        let first = (round - 1) * 4;
        assert_eq!(counts, [first + 1, first + 2, first + 3, first + 4]);
        host.stop().unwrap();
    }
}

#[test]
fn a_host_ends_when_its_socket_is_gone_and_takes_no_other_file() {
    let folder = support::folder("socket");
    let socket = folder.join("private/host.sock");
    let host = Arc::new(host());
    let server = Server::new(host.clone(), &socket).unwrap();
    fs::remove_file(&socket).unwrap();
    let other = Bound::new(&socket).unwrap();
    drop(server);
    assert!(socket.exists(), "the other host's socket is its own");
    drop(other);

    let file = folder.join("private/thesis.txt");
    fs::write(&file, "years of work").unwrap();
    let refused = Server::new(host.clone(), &file).unwrap_err().to_string();
    assert!(refused.contains("found something that is no socket"), "{refused}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "years of work");
}

#[test]
fn who_has_gone_gives_up_its_place() {
    let socket = support::folder("gone").join("private/host.sock");
    let host = Arc::new(host());
    let _server = Server::new(host, &socket).unwrap();
    for _ in 0..100 {
        let mut stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
        let ask = b"{\"helix\":1,\"verb\":\"events\",\"filter\":\"nothing\"}\n\n";
        std::io::Write::write_all(&mut stream, ask).unwrap();
    }
    support::until("the host answers", || {
        Client::new(&socket).is_ok_and(|client| client.ask(Verb::Ls, &mut |_| {}).is_ok())
    });
}
