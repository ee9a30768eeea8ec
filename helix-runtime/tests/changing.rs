//! Listeners and modules that come, go and are replaced while other threads publish and call. Small enough for miri.
#![allow(missing_docs)]

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use helix_runtime::prelude::*;
use helix_runtime::{
    EventSubscription, EventTopic, Handle, IpcError, Module, Runtime, SubscriptionId, Transition, modules,
};

const ROUNDS: u64 = if cfg!(miri) { 6 } else { 1000 };

/// Miri is a hundred times slower.
const AMPLE: Duration = Duration::from_secs(if cfg!(miri) { 3000 } else { 300 });

/// Fails the test instead of hanging it.
fn within_deadline(run: impl FnOnce() + Send + 'static) {
    let (done, finished) = mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        run();
        drop(done);
    });
    let timeout = finished.recv_timeout(AMPLE);
    assert_ne!(timeout, Err(mpsc::RecvTimeoutError::Timeout), "it hangs");
    thread.join().unwrap();
}

fn tick() -> Tick {
    Tick { timestamp_ns: 0, tick_number: 1 }
}

mod v1 {
    use super::*;

    /// Counts under a lock what it hears and is asked.
    #[helix_module(name = "counter", version = "1.0.0", flags = HOT_RELOADABLE)]
    #[derive(Default)]
    pub struct Counter {
        count: Box<u64>,
    }
    #[helix_handlers]
    impl Counter {
        #[on_event(Tick)]
        fn tick(&mut self) {
            *self.count += 1;
        }
        #[on_request]
        fn add(&mut self) -> u64 {
            *self.count += 1;
            *self.count
        }
        #[on_request]
        fn count(&self) -> u64 {
            *self.count
        }
        #[on_save(version = 1)]
        fn save(&self) -> u64 {
            *self.count
        }
        #[on_restore(version = 1)]
        fn restore(&mut self, count: u64) {
            *self.count = count;
        }
    }
}

mod v2 {
    use super::*;

    /// The same without a lock.
    #[helix_module(name = "counter", version = "2.0.0", flags = HOT_RELOADABLE)]
    #[derive(Default)]
    pub struct Counter {
        count: Box<AtomicU64>,
    }
    #[helix_handlers]
    impl Counter {
        #[on_event(Tick)]
        fn tick(&self) {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        #[on_request]
        fn add(&self) -> u64 {
            self.count.fetch_add(1, Ordering::Relaxed) + 1
        }
        #[on_request]
        fn count(&self) -> u64 {
            self.count.load(Ordering::Relaxed)
        }
        #[on_save(version = 1)]
        fn save(&self) -> u64 {
            self.count.load(Ordering::Relaxed)
        }
        #[on_restore(version = 1)]
        fn restore(&mut self, count: u64) {
            *self.count = AtomicU64::new(count);
        }
    }
}

#[test]
fn listeners_come_and_go_while_everybody_publishes() {
    within_deadline(|| {
        let runtime = Runtime::builder().modules(modules![v2::Counter]).build().unwrap();
        runtime.start().unwrap();
        let heard = Arc::new(AtomicU64::new(0));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        assert!(runtime.publish(&tick()).is_clean());
                    }
                });
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        let gone = Arc::new(AtomicBool::new(false));
                        let (heard, was_gone) = (heard.clone(), gone.clone());
                        let captured = Box::new(7_u64);
                        let handler = Box::new(move |_: &Event| {
                            assert!(!was_gone.load(Ordering::SeqCst), "entered after it was taken away");
                            heard.fetch_add(*captured / 7, Ordering::Relaxed);
                            EventResponse::Handled
                        });
                        let subscription = EventSubscription::new("passing", vec![EventTopic::Tick], handler);
                        let id = runtime.subscribe(subscription).unwrap();
                        assert!(runtime.publish(&tick()).is_clean());
                        runtime.unsubscribe(id).unwrap();
                        gone.store(true, Ordering::SeqCst);
                        assert_eq!(Arc::strong_count(&gone), 1, "what a listener has captured goes with it");
                    }
                });
            }
        });
        assert!(heard.load(Ordering::Relaxed) >= 2 * ROUNDS, "each hears at least what its own thread publishes");
        assert_eq!(runtime.call::<(), u64>("counter.count", ()), Ok(4 * ROUNDS));
    });
}

#[test]
fn a_module_is_replaced_under_publications_and_calls_and_none_is_lost() {
    within_deadline(|| {
        let runtime = Runtime::builder().modules(modules![v1::Counter]).build().unwrap();
        runtime.start().unwrap();
        let id = runtime.module_id("counter").unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    assert_eq!(runtime.publish(&tick()).handled, 1);
                }
            });
            scope.spawn(|| {
                let mut last = 0;
                for _ in 0..ROUNDS {
                    let now = runtime.call::<(), u64>("counter.add", ()).unwrap();
                    assert!(now > last, "{now} after {last}");
                    last = now;
                }
            });
            scope.spawn(|| {
                for round in 0..ROUNDS / 3 {
                    let next = if round % 2 == 0 { v2::Counter::DESCRIPTOR } else { v1::Counter::DESCRIPTOR };
                    assert_eq!(runtime.replace(id, next), Ok(Transition::Done));
                }
            });
        });
        assert_eq!(runtime.call::<(), u64>("counter.count", ()), Ok(2 * ROUNDS));
    });
}

#[test]
fn a_module_is_removed_and_added_under_calls() {
    within_deadline(|| {
        let runtime = Runtime::builder().modules(modules![v1::Counter, ..]).build().unwrap();
        runtime.start().unwrap();
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !ended.load(Ordering::Relaxed) {
                        match runtime.call::<(), u64>("counter.add", ()) {
                            Ok(count) => assert!(count > 0),
                            Err(IpcError::ModuleNotFound { .. } | IpcError::NotRunning { .. }) => {}
                            Err(error) => panic!("{error}"),
                        }
                        assert!(runtime.publish(&tick()).is_clean());
                        std::thread::yield_now();
                    }
                });
            }
            for round in 0..ROUNDS / 3 {
                let next = if round % 2 == 0 { v2::Counter::DESCRIPTOR } else { v1::Counter::DESCRIPTOR };
                assert_eq!(runtime.remove(runtime.module_id("counter").unwrap()), Ok(Transition::Done));
                runtime.add_descriptor(next).unwrap();
            }
            ended.store(true, Ordering::Relaxed);
        });
        assert!(runtime.call::<(), u64>("counter.add", ()).is_ok());
    });
}

static SUBSCRIBED: Mutex<Vec<SubscriptionId>> = Mutex::new(Vec::new());

/// Subscribes a closure each time that it starts.
#[helix_module]
#[derive(Default)]
pub struct Subscriber;

#[helix_handlers]
impl Subscriber {
    #[on_start]
    fn start(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        let captured = Box::new(1_u64);
        let handler = Box::new(move |_: &Event| {
            assert_eq!(*captured, 1);
            EventResponse::Handled
        });
        let id = ctx.subscribe(EventSubscription::new("own", vec![EventTopic::Tick], handler))?;
        SUBSCRIBED.lock().unwrap().push(id);
        Ok(())
    }
}

#[test]
fn a_modules_closures_are_taken_away_while_it_starts_and_stops() {
    within_deadline(|| {
        let runtime = Runtime::builder().modules(modules![Subscriber]).build().unwrap();
        runtime.start().unwrap();
        let id = runtime.module_id("subscriber").unwrap();
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    assert!(runtime.publish(&tick()).is_clean());
                    std::thread::yield_now();
                }
            });
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    let taken = SUBSCRIBED.lock().unwrap().pop();
                    match taken {
                        Some(id) => runtime.unsubscribe(id).unwrap(),
                        None => std::thread::yield_now(),
                    }
                }
            });
            for _ in 0..ROUNDS / 2 {
                runtime.stop_module(id).unwrap();
                runtime.start_module(id).unwrap();
            }
            ended.store(true, Ordering::Relaxed);
        });
    });
}

#[test]
fn a_listener_of_a_stopped_module_stays_silent_when_it_is_resumed() {
    let heard = Arc::new(AtomicU64::new(0));
    let runtime = Runtime::builder().modules(modules![Owner]).build().unwrap();
    OWNED.with(|owned| *owned.borrow_mut() = Some(heard.clone()));
    runtime.start().unwrap();
    let listener = OWNED_ID.get().unwrap();
    assert_eq!(runtime.publish(&tick()).handled, 1);
    runtime.stop_module(runtime.module_id("owner").unwrap()).unwrap();
    runtime.bus().pause(listener).unwrap();
    runtime.bus().resume(listener).unwrap();
    assert_eq!(runtime.publish(&tick()).handled, 0);
    assert_eq!(heard.load(Ordering::Relaxed), 1);
    runtime.bus().pause(listener).unwrap();
    runtime.start_module(runtime.module_id("owner").unwrap()).unwrap();
    assert_eq!(runtime.publish(&tick()).handled, 0, "it is paused");
    runtime.bus().resume(listener).unwrap();
    assert_eq!(runtime.publish(&tick()).handled, 1);
}

thread_local! {
    static OWNED: RefCell<Option<Arc<AtomicU64>>> = const { RefCell::new(None) };
    static OWNED_ID: Cell<Option<SubscriptionId>> = const { Cell::new(None) };
}

#[helix_module]
#[derive(Default)]
pub struct Owner;

#[helix_handlers]
impl Owner {
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        let heard = OWNED.take().unwrap();
        let handler = Box::new(move |_: &Event| {
            heard.fetch_add(1, Ordering::Relaxed);
            EventResponse::Handled
        });
        let subscription = EventSubscription::new("owned", vec![EventTopic::Tick], handler);
        OWNED_ID.set(Some(ctx.subscribe(subscription)?));
        Ok(())
    }
}

thread_local! {
    /// The context of an outer call, as a scoped thread-local lends it to an inner one in safe code.
    static LENT: Cell<Option<*const Context>> = const { Cell::new(None) };
    static REMOVER: RefCell<Option<Arc<Runtime>>> = const { RefCell::new(None) };
}

#[helix_module]
#[derive(Default)]
pub struct Lender;

#[helix_handlers]
impl Lender {
    #[on_request]
    fn lend(&self, ctx: &Context) -> Result<u64, ModuleError> {
        LENT.set(Some(ctx));
        let result = ctx.call::<(), u64>("borrower.use_it", ());
        LENT.set(None);
        Ok(result?)
    }
    #[on_request]
    fn nothing(&self) {}
}

#[helix_module]
pub struct Borrower {
    value: Box<u64>,
}

impl Default for Borrower {
    fn default() -> Self {
        Self { value: Box::new(42) }
    }
}

#[helix_handlers]
impl Borrower {
    #[on_request]
    fn use_it(&self) -> Result<u64, ModuleError> {
        let lent = LENT.get().unwrap();
        // SAFETY: the call that has lent it waits for this one.
        unsafe { &*lent }.call::<(), ()>("lender.nothing", ())?;
        let runtime = REMOVER.take().unwrap();
        let removed = std::thread::spawn(move || runtime.remove(runtime.module_id("borrower").unwrap()));
        let error = removed.join().unwrap().unwrap_err();
        assert_eq!(error.step, "drain", "{error}");
        Ok(*self.value)
    }
}

#[test]
fn a_call_with_the_context_of_an_outer_one_leaves_no_module_unmarked() {
    within_deadline(|| {
        let builder = Runtime::builder().modules(modules![Lender, Borrower]);
        let runtime = Arc::new(builder.drain_timeout(Duration::from_millis(20)).build().unwrap());
        runtime.start().unwrap();
        REMOVER.set(Some(runtime.clone()));
        assert_eq!(runtime.call::<(), u64>("lender.lend", ()), Ok(42));
    });
}

static RELEASE: Mutex<Option<mpsc::Receiver<()>>> = Mutex::new(None);
static INSIDE: AtomicBool = AtomicBool::new(false);

/// One handler stays inside while another panics.
#[helix_module]
pub struct Fragile {
    value: Box<u64>,
}

impl Default for Fragile {
    fn default() -> Self {
        Self { value: Box::new(42) }
    }
}

#[helix_handlers]
impl Fragile {
    #[on_request]
    fn stay(&self, ctx: &Context) -> Result<u64, ModuleError> {
        let release = RELEASE.lock().unwrap().take().unwrap();
        INSIDE.store(true, Ordering::SeqCst);
        release.recv().unwrap();
        let handler = Box::new(|_: &Event| EventResponse::Handled);
        let refused = ctx.subscribe(EventSubscription::new("late", vec![EventTopic::Tick], handler));
        assert!(matches!(refused, Err(IpcError::NotRunning { .. })), "{refused:?}");
        Ok(*self.value)
    }
    #[on_request]
    fn fall(&self) {
        panic!("falls");
    }
}

#[test]
fn a_call_that_is_inside_a_removed_module_keeps_it_and_adds_nothing_to_it() {
    within_deadline(|| {
        let builder = Runtime::builder().modules(modules![Fragile]);
        let runtime = builder.drain_timeout(Duration::from_millis(20)).build().unwrap();
        runtime.start().unwrap();
        let (release, released) = mpsc::channel();
        *RELEASE.lock().unwrap() = Some(released);
        std::thread::scope(|scope| {
            let stays = scope.spawn(|| runtime.call::<(), u64>("fragile.stay", ()));
            while !INSIDE.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            assert!(matches!(runtime.call::<(), ()>("fragile.fall", ()), Err(IpcError::Failed { .. })));
            assert_eq!(runtime.remove(runtime.module_id("fragile").unwrap()), Ok(Transition::Done));
            runtime.add_descriptor(Fragile::DESCRIPTOR).unwrap();
            release.send(()).unwrap();
            assert_eq!(stays.join().unwrap(), Ok(42));
        });
        assert_eq!(runtime.publish(&tick()).handled, 0);
    });
}

/// Publishes when its thread ends.
struct AtExit(Handle);

impl Drop for AtExit {
    fn drop(&mut self) {
        assert!(self.0.publish(&tick()).unwrap().is_clean());
    }
}

thread_local! {
    static BEFORE: RefCell<Option<AtExit>> = const { RefCell::new(None) };
    static AFTER: RefCell<Option<AtExit>> = const { RefCell::new(None) };
}

#[test]
fn a_thread_may_publish_until_its_very_end() {
    within_deadline(|| {
        let runtime = Runtime::builder().modules(modules![v2::Counter]).build().unwrap();
        runtime.start().unwrap();
        for _ in 0..ROUNDS.min(20) {
            let handle = runtime.handle();
            std::thread::spawn(move || {
                // One is dropped after the runtime's own thread-local, the other before it, in whichever order.
                BEFORE.set(Some(AtExit(handle.clone())));
                assert!(handle.publish(&tick()).unwrap().is_clean());
                AFTER.set(Some(AtExit(handle)));
            })
            .join()
            .unwrap();
        }
        assert_eq!(runtime.call::<(), u64>("counter.count", ()), Ok(3 * ROUNDS.min(20)));
    });
}
