//! What waits for a module that was left or stopped, and what it may not be taken for.
#![allow(missing_docs)]

/// An event that is put aside just after the gate of a module without a lock was opened.
mod late {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
    use std::time::Duration;

    use helix_runtime::prelude::*;
    use helix_runtime::{Module as _, Runtime, modules};

    static HEARD: AtomicU32 = AtomicU32::new(0);
    static IN_GO: AtomicBool = AtomicBool::new(false);
    static IN_SAVE: AtomicBool = AtomicBool::new(false);
    static REPLACED: AtomicBool = AtomicBool::new(false);

    #[helix_message]
    #[derive(Debug, EventType)]
    #[event(topic = "slow", name = "slow.clone")]
    pub struct Slow {
        pub n: u32,
    }
    impl Clone for Slow {
        fn clone(&self) -> Self {
            while !REPLACED.load(SeqCst) {
                std::thread::yield_now();
            }
            Slow { n: self.n }
        }
    }

    #[helix_module(name = "free", flags = HOT_RELOADABLE)]
    #[derive(Default)]
    pub struct Free;
    #[helix_handlers]
    impl Free {
        #[on_event(Slow)]
        fn slow(&self) {
            HEARD.fetch_add(1, SeqCst);
        }
        #[on_request]
        fn touch(&self) {}
        #[on_save(version = 1)]
        fn save(&self, ctx: &Context) -> u32 {
            IN_SAVE.store(true, SeqCst);
            let request = Request::new("idle").with_timeout(Duration::from_millis(400));
            let _ = ctx.request("locked", request);
            1
        }
        #[on_restore(version = 1)]
        fn restore(&self, _n: u32) {}
    }
    #[helix_module(name = "locked")]
    #[derive(Default)]
    pub struct Locked {
        n: u32,
    }
    #[helix_handlers]
    impl Locked {
        #[on_request]
        fn go(&mut self, ctx: &Context) -> u32 {
            IN_GO.store(true, SeqCst);
            while !IN_SAVE.load(SeqCst) {
                std::thread::yield_now();
            }
            // Nobody can see that the other call waits already; were it later, nothing would be kept, and the test would say so.
            std::thread::sleep(Duration::from_millis(100));
            self.n += 1;
            ctx.publish(&Slow { n: 1 }).queued
        }
        #[on_request]
        fn idle(&mut self) {}
    }
    #[test]
    fn what_was_queued_comes_when_the_module_is_released() {
        let runtime = Runtime::builder().modules(modules![Free, Locked]).build().unwrap();
        runtime.start().unwrap();
        std::thread::scope(|s| {
            let go = s.spawn(|| runtime.call::<(), u32>("locked.go", ()).unwrap());
            while !IN_GO.load(SeqCst) {
                std::thread::yield_now();
            }
            runtime.replace(runtime.module_id("free").unwrap(), Free::DESCRIPTOR).unwrap();
            REPLACED.store(true, SeqCst);
            assert_eq!(go.join().unwrap(), 1, "queued");
        });
        for _ in 0..10 {
            runtime.call::<(), ()>("free.touch", ()).unwrap();
        }
        assert_eq!(HEARD.load(SeqCst), 1);
    }
}

/// One that was put aside while such a module stopped.
mod stopped {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    use helix_runtime::prelude::*;
    use helix_runtime::{Runtime, modules};

    static HEARD: AtomicU32 = AtomicU32::new(0);
    static QUEUED: AtomicU32 = AtomicU32::new(0);

    #[helix_message]
    #[derive(Debug, Clone, EventType)]
    #[event(topic = "e", name = "e.v")]
    pub struct E {
        pub n: u32,
    }

    #[helix_module(name = "free")]
    #[derive(Default)]
    pub struct Free;
    #[helix_handlers]
    impl Free {
        #[on_event(E)]
        fn e(&self) {
            HEARD.fetch_add(1, SeqCst);
        }
        #[on_request]
        fn touch(&self) {}
        #[on_stop]
        fn stop(&self, ctx: &Context) {
            QUEUED.store(ctx.call::<(), u32>("locked.go", ()).unwrap(), SeqCst);
        }
    }
    #[helix_module(name = "locked")]
    #[derive(Default)]
    pub struct Locked {
        n: u32,
    }
    #[helix_handlers]
    impl Locked {
        #[on_request]
        fn go(&mut self, ctx: &Context) -> u32 {
            self.n += 1;
            ctx.publish(&E { n: 1 }).queued
        }
    }
    #[test]
    fn what_was_queued_comes_when_the_module_is_called_again() {
        let runtime = Runtime::builder().modules(modules![Locked, Free]).build().unwrap();
        runtime.start().unwrap();
        runtime.stop().unwrap();
        assert_eq!(QUEUED.load(SeqCst), 1);
        runtime.start().unwrap();
        runtime.call::<(), ()>("free.touch", ()).unwrap();
        assert_eq!(HEARD.load(SeqCst), 1);
    }
}

/// An event's `clone` calls the module that has just put it off.
mod cloned {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
    use std::time::Duration;

    use helix_runtime::prelude::*;
    use helix_runtime::{Handle, Runtime, modules};

    static HANDLE: OnceLock<Handle> = OnceLock::new();
    static ANSWER: OnceLock<String> = OnceLock::new();
    static TAKE: AtomicBool = AtomicBool::new(false);
    static HAS: AtomicBool = AtomicBool::new(false);
    static N: AtomicU32 = AtomicU32::new(0);

    #[helix_message]
    #[derive(Debug, EventType)]
    #[event(topic = "e", name = "e.v")]
    pub struct E {
        pub n: u32,
    }
    impl Clone for E {
        fn clone(&self) -> Self {
            if N.fetch_add(1, SeqCst) == 0 {
                TAKE.store(true, SeqCst);
                while !HAS.load(SeqCst) {
                    std::thread::yield_now();
                }
                let answer = HANDLE.get().unwrap().call::<(), u32>("x.get", ());
                let _ = ANSWER.set(format!("{answer:?}"));
            }
            E { n: self.n }
        }
    }
    #[helix_module(name = "x")]
    #[derive(Default)]
    pub struct X {
        n: u32,
    }
    #[helix_handlers]
    impl X {
        #[on_event(E)]
        fn e(&mut self) -> EventResponse {
            self.n = 5;
            EventResponse::Deferred
        }
        #[on_request]
        fn get(&mut self) -> u32 {
            self.n
        }
        #[on_request]
        fn long(&mut self) {
            HAS.store(true, SeqCst);
            // Nobody can see that the other call waits; were this too short, it would be let in at once, which is right too.
            std::thread::sleep(Duration::from_millis(300));
        }
    }
    #[test]
    fn who_has_left_waits_like_anyone() {
        let runtime = Runtime::builder().modules(modules![X]).build().unwrap();
        runtime.start().unwrap();
        HANDLE.set(runtime.handle()).unwrap();
        std::thread::scope(|s| {
            s.spawn(|| {
                while !TAKE.load(SeqCst) {
                    std::thread::yield_now();
                }
                runtime.call::<(), ()>("x.long", ()).unwrap();
            });
            assert_eq!(runtime.publish(&E { n: 0 }).deferred, 1);
        });
        assert_eq!(ANSWER.get().unwrap(), "Ok(5)");
    }
}
