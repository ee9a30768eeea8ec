//! What goes wrong only when several things happen at once: crashes, health and saves beside replacements, kept events,
//! threads that come and go, runtimes that call each other.
#![allow(missing_docs)]

mod within;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use helix_runtime::irq::IrqLine;
use helix_runtime::prelude::*;
use helix_runtime::{
    EventSubscription, EventTopic, Module, ModuleState, Runtime, SubscriptionId, Supervision, Transition, modules,
};
use within::{rounds, until, within};

/// Panics when it is told to, without a lock.
#[helix_module(name = "brittle", flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Brittle;

#[helix_handlers]
impl Brittle {
    #[on_request]
    fn break_down(&self) -> u64 {
        std::panic::resume_unwind(Box::new("as told"))
    }
    #[on_request]
    fn one(&self) -> u64 {
        1
    }
}

#[test]
fn a_crash_beside_a_replacement_is_one_or_the_other() {
    within(120, || {
        let runtime = Runtime::builder().modules(modules![Brittle]).supervision(Supervision::NEVER).build().unwrap();
        runtime.start().unwrap();
        let id = runtime.module_id("brittle").unwrap();
        for _ in 0..rounds(300, 10) {
            std::thread::scope(|scope| {
                let crash = scope.spawn(|| runtime.call::<(), u64>("brittle.break_down", ()).unwrap_err());
                let calls = scope.spawn(|| drop(runtime.call::<(), u64>("brittle.one", ())));
                // It may find the module failed while it waits; what it leaves must be whole.
                let _ = runtime.replace(id, Brittle::DESCRIPTOR);
                crash.join().unwrap();
                calls.join().unwrap();
            });
            assert_eq!(
                runtime.modules()[0].state == ModuleState::Failed,
                runtime.call::<(), u64>("brittle.one", ()).is_err()
            );
            assert_eq!(runtime.replace(id, Brittle::DESCRIPTOR), Ok(Transition::Done));
            assert_eq!(runtime.call::<(), u64>("brittle.one", ()), Ok(1));
        }
    });
}

/// Tells itself something, which comes when it is released.
#[helix_module(name = "talker", flags = HOT_RELOADABLE)]
#[derive(Default)]
pub struct Talker {
    heard: Vec<u64>,
    faults: u64,
}

#[helix_message]
#[derive(Debug, Clone, EventType)]
#[event(topic = "talk", name = "talk.word")]
pub struct Word {
    pub speaker: u32,
    pub number: u64,
}

#[helix_handlers]
impl Talker {
    #[on_request]
    fn talk(&mut self, speaker: u32, number: u64, ctx: &Context) -> u32 {
        let say = |number| ctx.publish(&Word { speaker, number }).queued;
        say(number) + say(number + 1)
    }
    #[on_event(Word)]
    fn hear(&mut self, word: &Word) {
        self.heard.resize(4, 0);
        let before = &mut self.heard[word.speaker as usize];
        self.faults += u64::from(*before + 1 != word.number);
        *before = word.number;
    }
    #[on_request]
    fn heard(&self) -> (Vec<u64>, u64) {
        (self.heard.clone(), self.faults)
    }
    #[on_save(version = 1)]
    fn save(&self) -> (Vec<u64>, u64) {
        (self.heard.clone(), self.faults)
    }
    #[on_restore(version = 1)]
    fn restore(&mut self, (heard, faults): (Vec<u64>, u64)) {
        (self.heard, self.faults) = (heard, faults);
    }
}

fn talks(beside: impl Fn(&Runtime)) {
    let runtime = Runtime::builder().modules(modules![Talker]).build().unwrap();
    runtime.start().unwrap();
    let times = rounds(3000, 6);
    let over = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for speaker in 0..4 {
            let (runtime, over) = (&runtime, &over);
            scope.spawn(move || {
                for number in 0..times {
                    let said = runtime.call::<(u32, u64), u32>("talker.talk", (speaker, 2 * number + 1));
                    assert_eq!(said, Ok(2));
                }
                over.fetch_add(1, Ordering::Relaxed);
            });
        }
        while over.load(Ordering::Relaxed) < 4 {
            beside(&runtime);
        }
    });
    // Who releases a module sees to what was kept for it, and poll to what came while that one had long been at it.
    let _ = runtime.poll(Duration::ZERO);
    assert_eq!(runtime.call::<(), (Vec<u64>, u64)>("talker.heard", ()), Ok((vec![2 * times; 4], 0)));
}

#[test]
fn what_was_kept_for_a_busy_module_comes_in_order_when_it_is_released() {
    within(120, || talks(|_| std::thread::yield_now()));
}

#[test]
fn what_was_kept_for_a_busy_module_comes_in_order_while_it_is_replaced() {
    within(120, || {
        talks(|runtime| {
            let id = runtime.module_id("talker").unwrap();
            assert_eq!(runtime.replace(id, Talker::DESCRIPTOR), Ok(Transition::Done));
        });
    });
}

#[test]
fn health_and_saves_go_to_whoever_serves() {
    within(120, || {
        let runtime = Runtime::builder().modules(modules![Talker]).build().unwrap();
        runtime.start().unwrap();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let health = runtime.health().remove(0);
                    assert!(health.healthy, "{health:?}");
                    assert!(runtime.save("talker").unwrap().is_some());
                }
            });
            let id = runtime.module_id("talker").unwrap();
            for _ in 0..rounds(3000, 10) {
                assert_eq!(runtime.replace(id, Talker::DESCRIPTOR), Ok(Transition::Done));
                if asking.is_finished() {
                    break;
                }
            }
            over.store(true, Ordering::Relaxed);
            asking.join().unwrap();
        });
    });
}

#[test]
fn an_interrupts_closure_that_panics_is_asked_again() {
    within(60, || {
        static FIRST: IrqLine = IrqLine::new();
        static SECOND: IrqLine = IrqLine::new();
        let runtime = Runtime::builder()
            .line(&FIRST, |count, _| if count == 1 { panic!("as told") } else { Interrupt { line: 1, count } })
            .line(&SECOND, |count, _| Interrupt { line: 2, count })
            .build()
            .unwrap();
        FIRST.raise();
        SECOND.raise();
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.poll(Duration::ZERO)));
        SECOND.raise();
        FIRST.raise();
        FIRST.raise();
        assert!(runtime.poll(Duration::ZERO).raised >= 3, "the lines are still there");
    });
}

/// Subscribes a closure of its own.
#[helix_module(name = "owner", new = new_owner)]
pub struct Owner {
    heard: Arc<AtomicU64>,
}

static OWNED: Mutex<Option<(SubscriptionId, Arc<AtomicU64>)>> = Mutex::new(None);

fn new_owner() -> Owner {
    Owner { heard: Arc::default() }
}

#[helix_handlers]
impl Owner {
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        let heard = self.heard.clone();
        let hear = Box::new(move |_: &Event| {
            heard.fetch_add(1, Ordering::Relaxed);
            EventResponse::Handled
        });
        let id = ctx.subscribe(EventSubscription::new("owned", vec![EventTopic::Tick], hear))?;
        *OWNED.lock().unwrap() = Some((id, self.heard.clone()));
        Ok(())
    }
}

#[test]
fn a_closure_hears_nothing_while_its_module_is_stopped_whoever_resumes_it() {
    within(60, || {
        let runtime = Runtime::builder().modules(modules![Owner]).build().unwrap();
        runtime.start().unwrap();
        let (id, heard) = OWNED.lock().unwrap().take().unwrap();
        let tick = || runtime.publish(&Tick { timestamp_ns: 0, tick_number: 0 }).handled;
        assert_eq!(tick(), 1);
        let owner = runtime.module_id("owner").unwrap();
        runtime.stop_module(owner).unwrap();
        assert_eq!(tick(), 0);
        runtime.bus().pause(id).unwrap();
        runtime.bus().resume(id).unwrap();
        assert_eq!(tick(), 0, "it was resumed, but its module is stopped");
        runtime.start_module(owner).unwrap();
        assert_eq!(tick(), 1);
        assert_eq!(heard.load(Ordering::Relaxed), 2);
    });
}

/// Says what a thread does as it ends.
struct LastWords(Handle);

impl Drop for LastWords {
    fn drop(&mut self) {
        assert_eq!(self.0.call::<(), u64>("brittle.one", ()), Ok(1));
    }
}

thread_local! {
    static LAST: OnceLock<LastWords> = const { OnceLock::new() };
}

#[test]
fn threads_come_and_go_and_call_as_they_end() {
    within(120, || {
        let runtime = Runtime::builder().modules(modules![Brittle]).build().unwrap();
        runtime.start().unwrap();
        let id = runtime.module_id("brittle").unwrap();
        for round in 0..rounds(500, 3) {
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        // Made before the first call or after it, so that it goes after the runtime's own part or before.
                        if round % 2 == 0 {
                            LAST.with(|last| drop(last.set(LastWords(runtime.handle()))));
                        }
                        assert_eq!(runtime.call::<(), u64>("brittle.one", ()), Ok(1));
                        LAST.with(|last| drop(last.set(LastWords(runtime.handle()))));
                    });
                }
                assert_eq!(runtime.replace(id, Brittle::DESCRIPTOR), Ok(Transition::Done));
            });
        }
        until(|| runtime.poll(Duration::ZERO).retired == 0);
        let kept = runtime.handle();
        drop(runtime);
        assert_eq!(kept.call::<(), u64>("brittle.one", ()), Err(IpcError::Closed));
    });
}

#[test]
fn a_stalled_call_keeps_what_was_replaced_and_no_longer() {
    within(60, || {
        let runtime = Runtime::builder().modules(modules![Brittle]).build().unwrap();
        runtime.start().unwrap();
        let (arrived, is_there) = channel();
        let (go, wait) = channel::<()>();
        let wait = Mutex::new(wait);
        let hear = Box::new(move |_: &Event| {
            arrived.send(()).unwrap();
            wait.lock().unwrap().recv().unwrap();
            EventResponse::Handled
        });
        runtime.subscribe(EventSubscription::new("stalled", vec![EventTopic::Tick], hear)).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| assert_eq!(runtime.publish(&Tick { timestamp_ns: 0, tick_number: 0 }).handled, 1));
            is_there.recv().unwrap();
            let id = runtime.module_id("brittle").unwrap();
            for _ in 0..rounds(100, 5) {
                assert_eq!(runtime.replace(id, Brittle::DESCRIPTOR), Ok(Transition::Done));
            }
            assert!(runtime.poll(Duration::ZERO).retired > 0);
            go.send(()).unwrap();
        });
        until(|| runtime.poll(Duration::ZERO).retired == 0);
    });
}

/// Hands a call to the other runtime, and that one back.
#[helix_module(name = "bridge", flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Bridge {
    passed: u64,
}

static SIDES: OnceLock<[Runtime; 2]> = OnceLock::new();

#[helix_handlers]
impl Bridge {
    #[on_request]
    fn cross(&mut self, side: u8, times: u8) -> Result<u64, ModuleError> {
        self.passed += 1;
        if times == 0 {
            return Ok(self.passed);
        }
        let other = &SIDES.get().unwrap()[1 - usize::from(side)];
        Ok(other.call::<(u8, u8), u64>("bridge.cross", (1 - side, times - 1))?)
    }
}

#[test]
fn two_runtimes_that_call_each_other_do_not_hang() {
    within(120, || {
        let started = || {
            let runtime = Runtime::builder().modules(modules![Bridge]).build().unwrap();
            runtime.start().unwrap();
            runtime
        };
        let sides = SIDES.get_or_init(|| [started(), started()]);
        let cross = |side: u8, times| sides[usize::from(side)].call::<(u8, u8), u64>("bridge.cross", (side, times));
        assert!(cross(0, 1).is_ok());
        let error = cross(0, 2).unwrap_err().to_string();
        assert!(error.ends_with("module is busy: bridge -> bridge -> bridge"), "{error}");
        let over = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let over = &over;
                scope.spawn(move || {
                    for _ in 0..rounds(1000, 4) {
                        // Each way at once is a circle; one of the two is told.
                        if let Err(error) = cross(thread % 2, 1) {
                            assert!(error.to_string().contains("module is busy: "), "{error}");
                        }
                    }
                    over.fetch_add(1, Ordering::Relaxed);
                });
            }
            while over.load(Ordering::Relaxed) < 4 {
                for side in sides {
                    let id = side.module_id("bridge").unwrap();
                    assert_eq!(side.replace(id, Bridge::DESCRIPTOR), Ok(Transition::Done));
                }
            }
        });
        assert!(cross(1, 1).is_ok(), "nothing is held any more");
    });
}
