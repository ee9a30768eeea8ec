//! A program that is not written in Rust joins a host, by the documented protocol alone; and who may not join.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use helix_host::{Configuration, Host};
use helix_runtime::prelude::*;
use helix_runtime::{EventSubscription, EventTopic, IpcError, Supervision, modules};

/// A number on its way.
#[helix_message]
#[derive(Debug, Clone, PartialEq, EventType)]
#[event(topic = "flow", name = "flow.number")]
pub struct Number {
    pub number: u64,
}

/// Doubles, and calls back.
#[helix_module(name = "helper")]
#[derive(Default)]
pub struct Helper;

#[helix_handlers]
impl Helper {
    #[on_request]
    fn double(&self, number: u64) -> u64 {
        number * 2
    }
    #[on_request]
    fn back(&self, number: u64, ctx: &Context) -> Result<u64, ModuleError> {
        Ok(ctx.call::<(u64,), u64>("adder.double", (number,))?)
    }
    #[on_request]
    fn secret(&self) {}
    #[on_request("who", raw)]
    fn who(&self, request: &Request) -> Result<Response, ModuleError> {
        Ok(Response::ok(request.source().as_bytes()))
    }
}

/// Python, or nothing where there is none, which is said, and fails where it is required.
fn python() -> Option<Command> {
    let found = Command::new("python3").arg("--version").stdout(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Some(Command::new("python3"));
    }
    let is_required = ["CI", "HELIX_REQUIRE_PYTHON"].iter().any(|name| std::env::var_os(name).is_some());
    assert!(!is_required, "found no python3, expected one");
    eprintln!("SKIPPED: a module in Python: found no python3");
    None
}

struct Stage {
    folder: PathBuf,
    host: Host,
}

/// A program, which goes with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Stage {
    fn new(test: &str, placing: &str) -> Self {
        let folder = support::folder(test);
        let text = format!(
            "[host]\njoin = {:?}\ndata_dir = {:?}\nmodules.adder = {{ joins = true, deadline_ms = 5000 {placing} }}\n\
             [adder]\nmotto = \"sum\"\n",
            folder.join("join.sock"),
            folder.join("data"),
        );
        let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
        let builder = Host::builder().modules(modules![Helper, ..]).configuration(configuration);
        let host = builder.runtime(|builder| builder.supervision(Supervision::NEVER)).start().unwrap();
        Self { folder, host }
    }

    fn token(&self) -> String {
        fs::read_to_string(self.folder.join("data/adder/token")).unwrap()
    }

    fn command(&self, mut python: Command, token: &str) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/join/adder.py");
        python.arg("-B").arg(script).arg(self.folder.join("join.sock")).arg(token);
        python
    }

    fn join(&self, python: Command) -> Program {
        let program = Program(self.command(python, &self.token()).spawn().unwrap());
        support::until("it has joined", || self.state() == "running");
        program
    }

    fn state(&self) -> String {
        let modules = self.host.modules();
        modules.iter().find(|module| module.name == "adder").unwrap().state.clone()
    }

    fn call<R: helix_runtime::Message>(&self, request: &str, number: u64) -> Result<R, IpcError> {
        self.host.runtime().call::<(u64,), R>(&format!("adder.{request}"), (number,))
    }

    fn sum(&self) -> u64 {
        self.host.runtime().call::<(), u64>("adder.sum", ()).unwrap()
    }
}

#[test]
fn a_program_in_another_language_is_a_module_like_others() {
    let Some(python) = python() else { return };
    let stage = Stage::new("join", ", grant = [\"call\", \"publish\", \"subscribe\"]");
    assert_eq!(stage.state(), "to join");
    assert!(stage.host.why("adder").reason.unwrap().contains("it has not come yet"));
    let program = stage.join(python);
    let runtime = stage.host.runtime();
    assert_eq!(runtime.call::<(u64, u64), u64>("adder.add", (200, 300)).unwrap(), 500);
    assert_eq!(runtime.call::<(u64, u64), u64>("arithmetic.add", (1, 2)).unwrap(), 3, "by the service");
    assert_eq!(runtime.call::<(), String>("adder.motto", ()).unwrap(), "sum", "its configuration");
    let modules = stage.host.modules();
    let view = modules.iter().find(|module| module.name == "adder").unwrap();
    assert_eq!((view.version.as_str(), view.place.as_str()), ("1.2.0", "process, no sandbox"));

    let heard: Vec<_> = [7, 9, 13].map(|number| runtime.publish(&Number { number })).into();
    assert_eq!(heard.iter().map(|heard| (heard.handled, heard.ignored)).collect::<Vec<_>>(), [(1, 0), (1, 0), (0, 1)]);
    let failed = runtime.publish(&Number { number: 14 }).first_error.unwrap();
    assert!(failed.1.to_string().contains("ValueError: not 14"), "{failed:?}");
    assert_eq!(stage.sum(), 16);

    let (tell, told) = channel();
    let hear = Box::new(move |event: &Event| {
        let Event::Custom(custom) = event else { return EventResponse::Ignored };
        tell.send(custom.data().map(<[u8]>::to_vec)).unwrap();
        EventResponse::Handled
    });
    let doubled = EventTopic::Custom("adder.doubled".into());
    runtime.subscribe(EventSubscription::new("test", vec![doubled], hear)).unwrap();
    assert_eq!(stage.call::<u64>("double", 21).unwrap(), 42, "another module did it");
    assert_eq!(told.recv().unwrap(), Some(vec![42]));
    let circle = stage.call::<u64>("circle", 1).unwrap_err().to_string();
    assert!(circle.contains("adder -> helper -> adder"), "the chain goes through it: {circle}");

    let count = Request::new("count").with_timeout(Duration::from_millis(20));
    let counted = runtime.router().send_to("adder", count).unwrap();
    assert!(matches!(counted, Response::Success(_)), "it knows when nobody waits for it: {counted:?}");

    let forged: Vec<u8> = runtime.call::<(), Vec<u8>>("adder.forge", ()).unwrap();
    assert_eq!(forged, b"adder", "whoever it says that it is");
    let wrong = |what: &str| runtime.call::<(&str,), ()>("adder.wrong", (what,)).unwrap_err().to_string();
    assert!(wrong("raise").contains("KeyError: 'told to'"));
    assert!(wrong("call").contains("may not call `helper.secret`"), "{}", wrong("call"));
    assert!(wrong("module.crashed").contains("refused"), "what is the host's alone");
    assert!(wrong("other.event").contains("refused"), "what it does not ask for");
    assert_eq!(stage.sum(), 16, "and the link holds");

    assert!(stage.host.health().iter().all(|health| health.healthy));
    assert_eq!(runtime.publish(&Number { number: 666 }).handled, 1);
    assert!(stage.host.health().iter().any(|health| health.module == "adder" && !health.healthy));
    drop(program);
    support::until("that it has gone is seen", || stage.state() == "crashed");
}

#[test]
fn a_token_counts_once_and_who_comes_again_takes_the_place_of_the_one_before() {
    let Some(command) = python() else { return };
    let stage = Stage::new("join_again", "");
    let first = stage.token();
    let program = stage.join(command);
    assert_ne!(stage.token(), first);
    let refused = |token: &str| -> Output { stage.command(python().unwrap(), token).output().unwrap() };
    for token in [first.as_str(), "", "00", &"0".repeat(64)] {
        let output = refused(token);
        assert_eq!(output.status.code(), Some(3));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("used before"), "{said}");
    }
    let _ = stage.host.runtime().publish(&Number { number: 5 });
    assert_eq!(stage.sum(), 5, "nobody was disturbed");
    drop(program);
    support::until("that it has gone is seen", || stage.state() == "crashed");
    let again = stage.join(python().unwrap());
    assert_eq!(stage.sum(), 0, "another one");
    let third = Program(stage.command(python().unwrap(), &stage.token()).spawn().unwrap());
    support::until("it takes the place of one that runs", || {
        stage.host.modules().iter().any(|module| module.name == "adder" && module.generation == 3)
    });
    drop(again);
    assert_eq!(stage.sum(), 0, "and that the one before goes concerns nobody");
    drop(third);
}

#[test]
fn events_wait_for_a_program_too() {
    let Some((first, second)) = python().zip(python()) else { return };
    let stage = Stage::new("join_queue", ", queue = 10000");
    let program = stage.join(first);
    let publish = || {
        for number in [1; 5000] {
            assert_eq!(stage.host.runtime().publish(&Number { number }).queued, 1);
        }
    };
    publish();
    support::until("all is heard", || stage.sum() == 5000);
    drop(program);
    support::until("that it has gone is seen", || stage.state() == "crashed");
    publish();
    let _program = stage.join(second);
    support::until("the next one hears what has waited", || stage.sum() == 5000);
}

#[test]
fn a_program_that_hears_what_it_may_not_is_told_so_and_may_come_again() {
    let Some(python) = python() else { return };
    let stage = Stage::new("join_forbidden", ", grant = [\"call\"]");
    let output = stage.command(python, &stage.token()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("may not hear `flow.number`: it needs the permission `subscribe/flow.number`"), "{said}");
}

#[test]
fn one_that_reads_or_says_a_little_at_a_time_is_ended_at_its_deadline() {
    for way in ["answers", "replies"] {
        let Some(mut python) = python() else { return };
        let stage = Stage::new("join_slow", "");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/join/slow.py");
        python.arg("-B").arg(script).arg(stage.folder.join("join.sock")).arg(stage.token()).arg(way);
        let _program = Program(python.spawn().unwrap());
        support::until("it has joined", || stage.state() == "running");
        let began = std::time::Instant::now();
        let error = stage.host.runtime().call::<(), ()>("adder.ask", ()).unwrap_err().to_string();
        assert!(error.contains("it has not answered for 5s"), "{way}: {error}");
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "{way}: {:?}", began.elapsed());
    }
}

/// What a host says to bytes on the socket, until it closes it.
fn says(stage: &Stage, bytes: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(stage.folder.join("join.sock")).unwrap();
    // It may have closed it already.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    said
}

#[test]
fn who_speaks_another_language_is_told_so_and_holds_up_nobody() {
    let stage = Stage::new("join_garbage", "");
    // One that says nothing stays, and others come all the same.
    let _silent = UnixStream::connect(stage.folder.join("join.sock")).unwrap();
    let preamble = b"helixipc\x01\0\x01\0";
    let frame = |bytes: &[u8]| [&preamble[..], &(bytes.len() as u32).to_le_bytes(), bytes].concat();
    for (bytes, expected) in [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "found the preamble"),
        (b"helixipc\x07\0\x09\0".to_vec(), "found the preamble"),
        (frame(&[0]), ""),
        (frame(&[3, 1, 0, 0]), "found another message"),
        (frame(&[255; 40]), ""),
        ([&preamble[..], &u32::MAX.to_le_bytes()].concat(), "a frame of 4294967295 bytes"),
        ([&preamble[..], &[9, 0, 0, 0, 4, 0]].concat(), "closed"),
    ] {
        let said = says(&stage, &bytes);
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert_eq!(stage.state(), "to join");
}
