//! A replacement that has to wait: for a call that does not end, for another transition, for the chain that asks for it.
#![allow(missing_docs)]

mod within;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use helix_runtime::prelude::*;
use helix_runtime::{LifecycleError, Module, Runtime, Transition, modules};
use within::{rounds, until, within};

/// Where a handler says that it is inside, and waits.
type Meeting = (Sender<()>, Receiver<()>);

macro_rules! slow {
    ($($ident:ident $name:literal $meeting:ident { $($handlers:tt)* })*) => { $(
        static $meeting: Mutex<Option<Meeting>> = Mutex::new(None);
        #[helix_module(name = $name, flags = HOT_RELOADABLE)]
        #[derive(Default)]
        pub struct $ident {
            count: AtomicU64,
        }
        impl $ident {
            fn meet(&self) -> u64 {
                let (arrived, go) = $meeting.lock().unwrap().take().unwrap();
                arrived.send(()).unwrap();
                go.recv().unwrap();
                self.count.fetch_add(1, Ordering::Relaxed) + 1
            }
        }
        #[helix_handlers]
        impl $ident {
            $($handlers)*
            #[on_request]
            fn count(&self) -> u64 { self.count.load(Ordering::Relaxed) }
            #[on_save(version = 1)]
            fn save(&self) -> u64 { self.count.load(Ordering::Relaxed) }
            #[on_restore(version = 1)]
            fn restore(&mut self, count: u64) { *self.count.get_mut() = count; }
        }
    )* };
}

slow! {
    Locked "locked" AT_LOCKED {
        #[on_request]
        fn wait(&mut self) -> u64 { self.meet() }
        #[on_event("meet.locked")]
        fn meet_it(&mut self) { self.meet(); }
    }
    Free "free" AT_FREE {
        #[on_request]
        fn wait(&self) -> u64 { self.meet() }
        #[on_event("meet.free")]
        fn meet_it(&self) { self.meet(); }
    }
}

#[test]
fn a_call_that_does_not_end_ends_the_replacement_which_says_where_it_is() {
    within(60, || {
        let timeout = Duration::from_millis(20);
        let runtime = Runtime::builder().modules(modules![Locked, Free]).drain_timeout(timeout).build().unwrap();
        runtime.start().unwrap();
        let modules = [("locked", Locked::DESCRIPTOR, &AT_LOCKED), ("free", Free::DESCRIPTOR, &AT_FREE)];
        for (name, descriptor, meeting) in modules {
            let id = runtime.module_id(name).unwrap();
            for by_event in [false, true] {
                let ((arrived, is_there), (open, go)) = (channel(), channel());
                *meeting.lock().unwrap() = Some((arrived, go));
                std::thread::scope(|scope| {
                    let run = || {
                        if by_event {
                            let met = Event::from(Custom::new(format!("meet.{name}"), []));
                            assert_eq!(runtime.publish(&met).handled, 1);
                        } else {
                            assert_eq!(runtime.call::<(), u64>(&format!("{name}.wait"), ()), Ok(1));
                        }
                    };
                    let thread = std::thread::Builder::new().name("the-slow-one".into());
                    let inside = thread.spawn_scoped(scope, run).unwrap();
                    is_there.recv().unwrap();
                    let count = || runtime.call::<(), u64>(&format!("{name}.count"), ());
                    // Whoever comes meanwhile waits, and is let in again.
                    let other = scope.spawn(count);
                    let error = runtime.replace(id, descriptor).unwrap_err();
                    let handler =
                        if by_event { format!("its handler of `meet.{name}`") } else { format!("`{name}.wait`") };
                    let (module, thread) = (name.to_string(), "the-slow-one".into());
                    let stuck = ModuleError::Stuck { module, thread, handler: handler.into(), waited: timeout };
                    assert_eq!(error, LifecycleError { module: name.into(), step: "drain", error: stuck });
                    open.send(()).unwrap();
                    inside.join().unwrap();
                    other.join().unwrap().unwrap();
                });
                assert_eq!(runtime.replace(id, descriptor), Ok(Transition::Done));
                assert_eq!(runtime.call::<(), u64>(&format!("{name}.count"), ()), Ok(1 + u64::from(by_event)));
            }
        }
    });
}

static RUNTIME: OnceLock<Runtime> = OnceLock::new();
static FROM_INIT: Mutex<Option<Result<Transition, LifecycleError>>> = Mutex::new(None);
static ASK_IN_INIT: AtomicBool = AtomicBool::new(false);
static ASK_IN_NEW: AtomicBool = AtomicBool::new(false);

fn runtime() -> &'static Runtime {
    RUNTIME.get_or_init(|| {
        let timeout = Duration::from_secs(if cfg!(miri) { 100 } else { 20 });
        let set = modules![Turned, User, Other];
        let runtime = Runtime::builder().modules(set).drain_timeout(timeout).build().unwrap();
        runtime.start().unwrap();
        runtime
    })
}

fn turn_over() -> Result<Transition, LifecycleError> {
    let runtime = RUNTIME.get().unwrap();
    runtime.replace(runtime.module_id("turned").unwrap(), Turned::DESCRIPTOR)
}

fn new_turned() -> Turned {
    if ASK_IN_NEW.swap(false, Ordering::Relaxed) {
        *FROM_INIT.lock().unwrap() = Some(turn_over());
    }
    Turned { count: 0 }
}

/// Asks for its own replacement.
#[helix_module(name = "turned", flags = HOT_RELOADABLE, new = new_turned)]
pub struct Turned {
    count: u64,
}

#[helix_handlers]
impl Turned {
    #[on_init]
    fn init(&mut self) {
        if ASK_IN_INIT.swap(false, Ordering::Relaxed) {
            *FROM_INIT.lock().unwrap() = Some(turn_over());
        }
    }
    #[on_request]
    fn turn(&mut self) -> bool {
        self.count += 1;
        turn_over() == Ok(Transition::Postponed)
    }
    #[on_request]
    fn turn_and_poll(&mut self) -> u32 {
        assert_eq!(turn_over(), Ok(Transition::Postponed));
        RUNTIME.get().unwrap().poll(Duration::ZERO).transitions
    }
    #[on_request]
    fn count(&self) -> u64 {
        self.count
    }
    #[on_save(version = 1)]
    fn save(&self) -> u64 {
        self.count
    }
    #[on_restore(version = 1)]
    fn restore(&mut self, count: u64) {
        self.count = count;
    }
}

macro_rules! askers {
    ($($ident:ident $name:literal ($($options:tt)*))*) => { $(
        #[helix_module(name = $name, $($options)*)]
        #[derive(Default)]
        pub struct $ident {
            asked: u64,
        }
        #[helix_handlers]
        impl $ident {
            #[on_request]
            fn ask(&mut self) -> bool {
                self.asked += 1;
                turn_over().unwrap() == Transition::Postponed
            }
            #[on_request]
            fn pass_on(&mut self, ctx: &Context) -> Result<bool, ModuleError> {
                self.asked += 1;
                Ok(ctx.call::<(), bool>("turned.turn", ())?)
            }
        }
    )* };
}
askers! {
    User "user" (dependencies = ["turned"])
    Other "other" ()
}

static TURN: Mutex<()> = Mutex::new(());

fn with_runtime(run: impl FnOnce(&'static Runtime) + Send + 'static) {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    within(60, || run(runtime()));
}

#[test]
fn asked_from_inside_the_chain_it_waits_for_poll() {
    with_runtime(|runtime| {
        let before = runtime.call::<(), u64>("turned.count", ()).unwrap();
        for (request, postponed) in [
            ("turned.turn", true),
            ("user.ask", true),
            ("user.pass_on", true),
            ("other.pass_on", true),
            ("other.ask", false),
        ] {
            assert_eq!(runtime.call::<(), bool>(request, ()), Ok(postponed), "{request}");
            let polled = runtime.poll(Duration::ZERO);
            assert_eq!(polled.transitions, u32::from(postponed), "{request}");
            until(|| runtime.poll(Duration::ZERO).retired == 0);
        }
        assert_eq!(runtime.call::<(), u64>("turned.count", ()), Ok(before + 3));
    });
}

#[test]
fn what_is_postponed_again_is_not_done() {
    with_runtime(|runtime| {
        assert_eq!(runtime.call::<(), u32>("turned.turn_and_poll", ()), Ok(0));
        assert_eq!(runtime.poll(Duration::ZERO).transitions, 1);
    });
}

#[test]
fn a_replacement_inside_a_replacement_is_refused_at_once() {
    with_runtime(|_| {
        for ask in [&ASK_IN_INIT, &ASK_IN_NEW] {
            ask.store(true, Ordering::Relaxed);
            let began = std::time::Instant::now();
            assert_eq!(turn_over(), Ok(Transition::Done));
            let inner = FROM_INIT.lock().unwrap().take().unwrap().unwrap_err();
            assert!(matches!(inner.error, ModuleError::Moving { .. }), "{inner}");
            assert!(began.elapsed() < Duration::from_secs(10), "it waited for itself");
        }
    });
}

#[test]
fn replacements_from_several_threads_take_turns() {
    with_runtime(|_| {
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..rounds(300, 3) {
                        assert_eq!(turn_over(), Ok(Transition::Done));
                    }
                });
            }
        });
    });
}

#[test]
fn what_was_removed_meanwhile_is_not_replaced() {
    within(60, || {
        static RUNTIME: OnceLock<Runtime> = OnceLock::new();
        #[helix_module(name = "fleeting", flags = HOT_RELOADABLE, stateless)]
        #[derive(Default)]
        pub struct Fleeting;
        #[helix_handlers]
        impl Fleeting {
            #[on_request]
            fn turn(&mut self, ctx: &Context) -> bool {
                RUNTIME.get().unwrap().replace(ctx.id, Fleeting::DESCRIPTOR) == Ok(Transition::Postponed)
            }
            #[on_request]
            fn go(&self, ctx: &Context) -> bool {
                RUNTIME.get().unwrap().remove(ctx.id) == Ok(Transition::Postponed)
            }
        }
        let runtime = RUNTIME.get_or_init(|| Runtime::builder().modules(modules![Fleeting]).build().unwrap());
        runtime.start().unwrap();
        for outright in [true, false] {
            let id = runtime.module_id("fleeting").unwrap();
            assert_eq!(runtime.call::<(), bool>("fleeting.turn", ()), Ok(true));
            if outright {
                assert_eq!(runtime.remove(id), Ok(Transition::Done));
                assert_eq!(runtime.poll(Duration::ZERO).transitions, 0);
            } else {
                assert_eq!(runtime.call::<(), bool>("fleeting.go", ()), Ok(true));
                assert_eq!(runtime.call::<(), bool>("fleeting.turn", ()), Ok(true));
                // Replaced, removed, and not replaced again.
                assert_eq!(runtime.poll(Duration::ZERO).transitions, 2);
            }
            assert!(runtime.modules().is_empty());
            runtime.add_descriptor(Fleeting::DESCRIPTOR).unwrap();
        }
        until(|| runtime.poll(Duration::ZERO).retired == 0);
    });
}
