//! Events that wait for modules in processes: nobody waits who publishes them, none is lost in silence, and the host's own get through.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use helix_host::{Configuration, Host};
use helix_runtime::prelude::*;
use helix_runtime::{MaintenanceReason, Operation, Urgency, modules};
use rustix::process::{Pid, Signal, kill_process};

/// A number on its way.
#[helix_message]
#[derive(Debug, Clone, PartialEq, EventType)]
#[event(topic = "flow", name = "flow.number")]
pub struct Number {
    pub number: u64,
}

/// Takes numbers, and writes down what is out of the ordinary.
const READER: &str = r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;

#[helix_message]
#[derive(Debug, Clone, PartialEq, EventType)]
#[event(topic = "flow", name = "flow.number")]
pub struct Number { pub number: u64 }

/// Takes numbers.
#[helix_module(name = "reader", flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct Reader { count: u64, next: u64, disorder: u64, notes: Vec<String>, put_off: bool }

fn wait(ctx: &Context) {
    let folder = std::path::Path::new(ctx.data_dir().unwrap());
    std::fs::write(folder.join("entering"), std::process::id().to_string()).unwrap();
    std::fs::rename(folder.join("entering"), folder.join("entered")).unwrap();
    while !folder.join("go").exists() {
        if ctx.is_cancelled() { std::fs::write(folder.join("wanted"), "").unwrap() }
        std::thread::yield_now()
    }
}

#[helix_handlers]
impl Reader {
    #[on_event(Number)]
    fn number(&mut self, &Number { number }: &Number) {
        self.disorder += u64::from(number != self.next);
        self.next = number + 1;
        self.count += 1;
        if number < 100 { self.notes.push(number.to_string()) }
    }
    #[on_request]
    fn holds(&mut self, ctx: &Context) { wait(ctx) }
    #[on_request]
    fn patient(&self, ctx: &Context) {
        std::fs::write(format!("{}/entered", ctx.data_dir().unwrap()), "").unwrap();
        while !ctx.is_cancelled() { std::thread::yield_now() }
    }
    #[on_event("flow.slow")]
    fn slow(&mut self) { std::thread::sleep(std::time::Duration::from_millis(100)); self.count += 1; }
    #[on_event("flow.hold")]
    fn hold(&mut self, ctx: &Context) { wait(ctx) }
    #[on_event("flow.fail")]
    fn fail(&mut self) -> Result<(), ModuleError> { Err("told to fail".into()) }
    #[on_event("flow.panic")]
    fn panics(&mut self) { panic!("told to") }
    #[on_event("flow.abort")]
    fn abort(&mut self) { std::process::abort() }
    #[on_event("flow.listen")]
    fn listen(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        let topics = vec![helix_runtime::EventTopic::Custom("flow.left".into())];
        let hear = Box::new(|_: &Event| EventResponse::Handled);
        ctx.handle().subscribe(helix_runtime::EventSubscription::new("left", topics, hear))?;
        Ok(())
    }
    #[on_event("flow.defer")]
    fn defer(&mut self) -> EventResponse {
        if std::mem::replace(&mut self.put_off, true) { self.notes.push("again".into()); EventResponse::Handled }
        else { EventResponse::Deferred }
    }
    #[on_event("flow.ask")]
    fn ask(&mut self, ctx: &Context) {
        let error = ctx.call::<(), u64>("helper.counts", ()).unwrap_err();
        self.notes.push(error.to_string());
    }
    #[on_event(EventsLost)]
    fn lost(&mut self, lost: &EventsLost) { self.notes.push(format!("lost {}", lost.count)) }
    #[on_event(DataMaintenance)]
    fn maintain(&mut self, ctx: &Context) {
        std::fs::write(format!("{}/maintained", ctx.data_dir().unwrap()), "").unwrap();
        self.notes.push("maintained".into())
    }
    #[on_request]
    fn told(&self) -> (u64, u64, Vec<String>) { (self.count, self.disorder, self.notes.clone()) }
    #[on_request]
    fn count(&self) -> u64 { self.count }
    #[on_save(version = 1)]
    fn save(&self) -> (u64, u64, u64) { (self.count, self.next, self.disorder) }
    #[on_restore(version = 1)]
    fn restore(&mut self, (count, next, disorder): (u64, u64, u64)) {
        (self.count, self.next, self.disorder) = (count, next, disorder);
    }
}
"#;

/// Asks the reader.
#[helix_module(name = "helper")]
#[derive(Default)]
pub struct Helper;

#[helix_handlers]
impl Helper {
    #[on_request]
    fn counts(&self, ctx: &Context) -> Result<u64, ModuleError> {
        Ok(ctx.call::<(), u64>("reader.count", ())?)
    }
}

/// Is needed, and ends.
const BASE: &str = r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;
/// Is needed.
#[helix_module(name = "base")]
#[derive(Default)]
pub struct Base;
#[helix_handlers]
impl Base {
    #[on_request]
    fn end(&self) { std::process::exit(0) }
}
"#;

/// Counts, where there is a base.
const NEEDY: &str = r#"
#![forbid(unsafe_code)]
use std::sync::atomic::{AtomicU64, Ordering};
use helix_runtime::prelude::*;
/// Counts.
#[helix_module(name = "needy", dependencies = ["base"])]
#[derive(Default)]
pub struct Needy { count: AtomicU64 }
#[helix_handlers]
impl Needy {
    #[on_event("flow.needy")]
    fn needy(&self) { self.count.fetch_add(1, Ordering::Relaxed); }
    #[on_request]
    fn count(&self) -> u64 { self.count.load(Ordering::Relaxed) }
}
"#;

static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| support::library(&support::folder("queued"), "reader", READER));

fn start(folder: &Path, queue: u32) -> Host {
    start_with(folder, &format!("queue = {queue}"), "")
}

fn start_with(folder: &Path, placing: &str, more: &str) -> Host {
    let text = format!(
        "[host]\ncommand = {:?}\ndata_dir = {:?}\nmodules.reader = {{ isolation = \"process\", {placing} }}\n{more}\n",
        env!("CARGO_BIN_EXE_helix"),
        folder.join("data"),
    );
    let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
    let builder = Host::builder().modules(modules![Helper, ..]).libraries(std::slice::from_ref(&*LIBRARY));
    builder.configuration(configuration).start().unwrap()
}

fn told(host: &Host) -> (u64, u64, Vec<String>) {
    host.runtime().call::<(), (u64, u64, Vec<String>)>("reader.told", ()).unwrap()
}

fn named(host: &Host, name: &'static str) -> helix_runtime::PublishResult {
    host.runtime().publish(&Event::Custom(Custom::new(name, vec![])))
}

/// Has a handler of the reader's under way, until `go`.
fn hold(host: &Host, folder: &Path) {
    assert_eq!(named(host, "flow.hold").queued, 1);
    support::until("it is inside", || folder.join("data/reader/entered").exists());
}

fn go(folder: &Path) {
    fs::write(folder.join("data/reader/go"), "").unwrap();
}

#[test]
fn a_slow_reader_holds_up_nobody_is_told_what_it_lost_and_hears_the_host_all_the_same() {
    let folder = support::folder("queued_slow");
    let host = start(&folder, 4);
    hold(&host, &folder);
    let results: Vec<_> = (0..10).map(|number| host.runtime().publish(&Number { number })).collect();
    assert_eq!(results.iter().map(|result| result.queued).collect::<Vec<_>>(), [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(results.iter().map(|result| result.dropped).sum::<u32>(), 6, "and the publisher knows");
    let (operation, urgency, reason) = (Operation::Flush, Urgency::High, MaintenanceReason::Manual);
    let what = DataMaintenance { operation, urgency, reason, target_age_days: None, timeout_seconds: None };
    let (told_to_go, goes) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(host.maintain(&what).queued, 1, "the host's own events have a lane of their own");
            told_to_go.send(()).unwrap();
        });
        support::until("it waits", || host.stats().links[0].waiting == 5);
        assert!(goes.try_recv().is_err(), "until it was done");
        go(&folder);
    });
    assert!(goes.recv().is_ok());
    support::until("all is heard", || told(&host).0 == 4);
    assert_eq!(told(&host).2, ["lost 6", "maintained", "0", "1", "2", "3"]);
    assert_eq!(host.runtime().publish(&Number { number: 4 }).queued, 1, "and it goes on");
    support::until("the next is heard", || told(&host).0 == 5);
    assert_eq!(told(&host).1, 0, "in order");
}

#[test]
fn no_event_is_lost_or_doubled_while_the_reader_is_replaced() {
    let folder = support::folder("queued_replaced");
    let host = start(&folder, 1 << 20);
    let library = fs::read(&*LIBRARY).unwrap();
    let (sent, ended) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Acquire) {
                let number = sent.load(Ordering::Acquire);
                let heard = host.runtime().publish(&Number { number });
                assert_eq!((heard.queued + heard.handled, heard.missed()), (1, 0), "{heard:?}");
                sent.store(number + 1, Ordering::Release);
            }
        });
        for round in 0..6_u8 {
            let before = sent.load(Ordering::Acquire);
            support::until("more is sent", || sent.load(Ordering::Acquire) > before + 1000);
            let other = folder.join(format!("{round}.so"));
            let text = format!("told to fai{round}");
            fs::write(&other, support::patched(&library, b"told to fail", text.as_bytes())).unwrap();
            host.reload("reader", Some(&other)).unwrap();
        }
        ended.store(true, Ordering::Release);
    });
    let sent = sent.into_inner();
    support::until("all is heard", || told(&host).0 == sent);
    assert_eq!(told(&host).1, 0, "each once, in order");
}

#[test]
fn nobody_waits_who_publishes_while_the_reader_is_waited_for_to_be_replaced() {
    let folder = support::folder("queued_meanwhile");
    let host = start(&folder, 1000);
    let other = folder.join("other.so");
    fs::write(&other, support::patched(&fs::read(&*LIBRARY).unwrap(), b"told to fail", b"told to fall")).unwrap();
    let publish = |numbers: std::ops::Range<u64>| {
        numbers.for_each(|number| assert_eq!(host.runtime().publish(&Number { number }).queued, 1, "{number}"));
    };
    publish(0..10);
    std::thread::scope(|scope| {
        scope.spawn(|| host.runtime().call::<(), ()>("reader.holds", ()).unwrap());
        support::until("it is inside", || folder.join("data/reader/entered").exists());
        scope.spawn(|| host.reload("reader", Some(&other)).unwrap());
        support::until("it is wanted", || folder.join("data/reader/wanted").exists());
        publish(10..20);
        assert_eq!(host.modules().iter().find(|module| module.name == "reader").unwrap().generation, 1);
        go(&folder);
    });
    publish(20..30);
    support::until("all is heard", || told(&host).0 == 30);
    assert_eq!(told(&host).1, 0, "each once, in order");
}

#[test]
fn nothing_is_overtaken_where_a_stop_gives_up() {
    let folder = support::folder("queued_stop_fails");
    let host = start(&folder, 1000);
    let publish = |numbers: std::ops::Range<u64>| {
        numbers.for_each(|number| assert_eq!(host.runtime().publish(&Number { number }).queued, 1, "{number}"));
    };
    std::thread::scope(|scope| {
        scope.spawn(|| host.runtime().call::<(), ()>("reader.holds", ()).unwrap());
        support::until("it is inside", || folder.join("data/reader/entered").exists());
        publish(0..10);
        let stops = scope.spawn(|| host.stop_module("reader"));
        support::until("it is wanted", || folder.join("data/reader/wanted").exists());
        publish(10..20);
        assert!(stops.join().unwrap().unwrap_err().to_string().contains("still busy"));
        publish(20..30);
        go(&folder);
    });
    support::until("all is heard", || told(&host).0 == 30);
    assert_eq!(told(&host).1, 0, "each once, in order");
}

#[test]
fn what_is_slow_is_not_ended_for_how_many_wait() {
    let folder = support::folder("queued_slow_each");
    let host = start_with(&folder, "queue = 100, deadline_ms = 1500", "");
    (0..30).for_each(|_| assert_eq!(named(&host, "flow.slow").queued, 1));
    support::until("all is heard", || told(&host).0 == 30);
    assert_eq!(host.modules()[1].restarts, 0);
}

#[test]
fn who_looks_whether_it_is_waited_for_does_not_keep_the_host_from_ending_in_order() {
    let folder = support::folder("queued_end");
    let host = start_with(&folder, "queue = 100, deadline_ms = 60000", "maintenance = { timeout_s = 60 }");
    let runtime = host.runtime().handle();
    std::thread::scope(|scope| {
        let called = scope.spawn(move || runtime.call::<(), ()>("reader.patient", ()));
        support::until("it is inside", || folder.join("data/reader/entered").exists());
        let began = std::time::Instant::now();
        host.stop().unwrap();
        assert!(began.elapsed().as_secs() < 50, "it waits for nobody until the time is over");
        called.join().unwrap().unwrap();
    });
    assert!(folder.join("data/reader/maintained").exists());
}

#[test]
fn the_end_does_not_wait_for_all_that_waits() {
    let folder = support::folder("queued_backlog");
    let host = start_with(&folder, "queue = 1000", "maintenance = { timeout_s = 1 }");
    (0..1000).for_each(|_| assert_eq!(named(&host, "flow.slow").queued, 1));
    let began = std::time::Instant::now();
    host.stop().unwrap();
    assert!(began.elapsed().as_secs() < 50, "they would take a hundred seconds");
}

#[test]
fn nothing_is_lost_for_one_that_is_stopped_because_what_it_needs_has_crashed() {
    let folder = support::folder("queued_needs");
    let text = format!(
        "[host]\ncommand = {:?}\nrestarts = {{ most = 100, within_s = 1, after_ms = 1 }}\n\
         modules.base = {{ isolation = \"process\" }}\nmodules.needy = {{ isolation = \"process\", queue = 1000000 }}\n",
        env!("CARGO_BIN_EXE_helix"),
    );
    let libraries = [support::library(&folder, "base", BASE), support::library(&folder, "needy", NEEDY)];
    let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
    let host = Host::builder().libraries(&libraries).configuration(configuration).start().unwrap();
    let (sent, ended) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Acquire) {
                let heard = named(&host, "flow.needy");
                assert_eq!((heard.queued, heard.missed()), (1, 0), "{heard:?}");
                sent.fetch_add(1, Ordering::AcqRel);
            }
        });
        for round in 1..=5 {
            let before = sent.load(Ordering::Acquire);
            support::until("more is sent", || sent.load(Ordering::Acquire) > before + 100);
            assert!(host.runtime().call::<(), ()>("base.end", ()).is_err());
            support::until("both are back", || {
                let modules = host.modules();
                modules.iter().all(|module| module.state == "running") && modules[0].restarts == round
            });
        }
        ended.store(true, Ordering::Release);
    });
    let sent = sent.into_inner();
    let heard = || host.runtime().call::<(), u64>("needy.count", ()).unwrap();
    support::until("all is heard", || heard() == sent);
}

#[test]
fn what_is_put_off_comes_again_what_fails_is_told_and_a_circle_is_found() {
    let folder = support::folder("queued_trouble");
    let host = start(&folder, 100);
    assert_eq!(named(&host, "flow.defer").queued, 1);
    support::until("it comes again", || told(&host).2 == ["again"]);
    assert_eq!(named(&host, "flow.fail").queued, 1);
    assert_eq!(named(&host, "flow.ask").queued, 1);
    support::until("the circle is found", || told(&host).2.len() == 2);
    assert!(told(&host).2[1].contains("reader -> helper -> reader"), "{:?}", told(&host).2);
}

#[test]
fn a_reader_that_crashes_over_an_event_is_made_anew_and_hears_the_next() {
    let folder = support::folder("queued_crash");
    let host = start(&folder, 100);
    assert_eq!(named(&host, "flow.abort").queued, 1);
    support::until("it is back", || host.modules()[1].restarts == 1 && host.modules()[1].state == "running");
    assert_eq!(host.runtime().publish(&Number { number: 0 }).queued, 1);
    support::until("it hears", || told(&host).0 == 1);
}

#[test]
fn one_that_has_failed_is_started_by_hand_and_hears_what_has_waited() {
    let folder = support::folder("queued_by_hand");
    let host = start(&folder, 100);
    for restarts in 0..4 {
        assert_eq!(named(&host, "flow.abort").queued, 1);
        support::until("it is back, or has failed", || {
            let module = &host.modules()[1];
            (module.restarts == restarts + 1 && module.state == "running")
                || (restarts == 3 && module.state == "crashed")
        });
    }
    support::until("it is given up", || host.runtime().publish(&Number { number: 9 }).queued == 0);
    host.start_module("reader").unwrap();
    support::until("nothing waits", || host.stats().links[0].waiting == 0);
    let before = told(&host).0;
    assert_eq!(host.runtime().publish(&Number { number: 10 }).queued, 1);
    support::until("it hears", || told(&host).0 == before + 1);
}

#[test]
fn a_closure_that_belongs_to_no_module_goes_with_its_process() {
    let folder = support::folder("queued_closure");
    let host = start(&folder, 100);
    assert_eq!(named(&host, "flow.listen").queued, 1);
    support::until("it listens", || named(&host, "flow.left").handled == 1);
    assert_eq!(named(&host, "flow.abort").queued, 1);
    support::until("it is back", || host.modules()[1].restarts == 1 && host.modules()[1].state == "running");
    let heard = named(&host, "flow.left");
    assert_eq!((heard.handled, heard.ignored, heard.failed), (0, 0, 0));
}

#[test]
fn what_waits_while_the_reader_is_killed_is_heard_by_the_next() {
    let folder = support::folder("queued_killed");
    let host = start(&folder, 100);
    hold(&host, &folder);
    for number in 0..50 {
        assert_eq!(host.runtime().publish(&Number { number }).queued, 1);
    }
    let pid = fs::read_to_string(folder.join("data/reader/entered")).unwrap().parse().unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    for number in 50..100 {
        assert_eq!(host.runtime().publish(&Number { number }).queued, 1, "it is awaited");
    }
    support::until("it is back", || host.modules()[1].restarts == 1 && host.modules()[1].state == "running");
    support::until("all is heard", || told(&host).0 == 100);
    assert_eq!((told(&host).1, host.stats().links[0].waiting), (0, 0), "in order");
}

#[test]
fn what_went_over_a_link_is_counted() {
    let folder = support::folder("queued_counted");
    let host = start(&folder, 100);
    hold(&host, &folder);
    for number in 0..7 {
        assert_eq!(host.runtime().publish(&Number { number }).queued, 1);
    }
    let link = host.stats().links.remove(0);
    assert_eq!((link.module.as_str(), link.waiting, link.failures, link.restarts), ("reader", 7, 0, 0));
    go(&folder);
    support::until("all is heard", || told(&host).0 == 7);
    assert_eq!(named(&host, "flow.abort").queued, 1);
    support::until("it is back", || host.modules()[1].restarts == 1 && host.modules()[1].state == "running");
    let before = link;
    let link = host.stats().links.remove(0);
    assert!(link.conversations > before.conversations && link.sent > before.sent && link.received > before.received);
    assert_eq!((link.waiting, link.failures, link.restarts), (0, 1, 1), "{link:?}");
    assert_eq!(link.times.iter().map(|(_, count)| count).sum::<u64>(), link.conversations);
    assert!(link.percentile(50) <= link.percentile(99) && link.percentile(99).is_some());
    assert!(link.memory.is_some_and(|bytes| bytes > 64 << 10), "{link:?}");
}

/// Has no step and no state of its own: nothing is called when it is stopped or replaced.
const PLAIN: &str = r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;
/// Writes numbers into a file, and puts each off once.
#[helix_module(name = "plain", flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Plain { seen: std::collections::BTreeSet<Vec<u8>> }
#[helix_handlers]
impl Plain {
    #[on_event("plain.note")]
    fn note(&mut self, note: &Custom, ctx: &Context) {
        let path = std::path::Path::new(ctx.data_dir().unwrap()).join("notes");
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        std::io::Write::write_all(&mut file, &[note.data().unwrap(), b"\n"].concat()).unwrap();
    }
    #[on_event("plain.later")]
    fn later(&mut self, note: &Custom, ctx: &Context) -> EventResponse {
        if self.seen.insert(note.data().unwrap().to_vec()) { return EventResponse::Deferred }
        self.note(note, ctx);
        EventResponse::Handled
    }
}
"#;

#[test]
fn what_waits_is_heard_before_a_module_without_steps_is_replaced_or_stopped() {
    let folder = support::folder("queued_plain");
    let library = support::library(&folder, "plain", PLAIN);
    let text = format!(
        "[host]\ncommand = {:?}\ndata_dir = {:?}\nmodules.plain = {{ isolation = \"process\", queue = 10000 }}\n",
        env!("CARGO_BIN_EXE_helix"),
        folder.join("data"),
    );
    let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
    let builder = Host::builder().libraries(std::slice::from_ref(&library)).configuration(configuration);
    let host = builder.runtime(|builder| builder.ring_capacity(1000)).start().unwrap();
    let publish = |name: &'static str, round: u32| {
        for number in 0..300 {
            let note = Event::Custom(Custom::new(name, format!("{round} {number}")));
            assert_eq!(host.runtime().publish(&note).queued, 1);
        }
    };
    let notes = || fs::read_to_string(folder.join("data/plain/notes")).unwrap_or_default().lines().count();
    publish("plain.note", 0);
    let other = folder.join("other.so");
    fs::write(&other, support::patched(&fs::read(&library).unwrap(), b"plain.later", b"plain.after")).unwrap();
    host.reload("plain", Some(&other)).unwrap();
    assert_eq!(notes(), 300, "before it was replaced");
    host.reload("plain", Some(&library)).unwrap();
    publish("plain.note", 1);
    host.stop_module("plain").unwrap();
    assert_eq!(notes(), 600, "before it was stopped");
    host.start_module("plain").unwrap();
    publish("plain.note", 2);
    support::until("it hears again", || notes() == 900);
    publish("plain.later", 3);
    // What is put off for one that is stopped is dropped by the next `poll`; for its next version it is not.
    let other = folder.join("third.so");
    let text = b"puts each off once";
    fs::write(&other, support::patched(&fs::read(&library).unwrap(), text, b"puts each off onze")).unwrap();
    host.reload("plain", Some(&other)).unwrap();
    support::until("what was put off comes again", || notes() == 1200);
}

#[test]
fn a_handler_that_panics_over_an_event_that_waited_is_a_crash() {
    let folder = support::folder("queued_panic");
    let host = start(&folder, 100);
    assert_eq!(named(&host, "flow.panic").queued, 1);
    support::until("it is made anew", || host.modules()[1].restarts == 1 && host.modules()[1].state == "running");
}

#[test]
fn a_flood_arrives_whole_and_in_order() {
    const COUNT: u64 = 100_000;
    let folder = support::folder("queued_flood");
    let host = start(&folder, 1 << 20);
    for number in 0..COUNT {
        assert_eq!(host.runtime().publish(&Number { number }).queued, 1);
    }
    support::until("nothing waits", || host.stats().links[0].waiting == 0);
    support::until("all is heard", || told(&host).0 == COUNT);
    assert_eq!(told(&host).1, 0);
}
