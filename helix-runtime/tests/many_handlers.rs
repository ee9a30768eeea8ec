//! A module with more handlers than a mark tells apart: no other is named in its place.
#![allow(missing_docs)]

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Barrier, LazyLock};
use std::time::Duration;

use helix_runtime::prelude::*;
use helix_runtime::{Runtime, modules};

static GO: AtomicBool = AtomicBool::new(false);
static ENTERED: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(2));

fn stay() -> u32 {
    ENTERED.wait();
    while !GO.load(SeqCst) {
        std::thread::yield_now();
    }
    0
}

#[helix_module]
#[derive(Default)]
pub struct Many;

#[rustfmt::skip]
#[helix_handlers]
impl Many {
    #[on_request] fn r0(&self) -> u32 { 0 }
    #[on_request] fn r1(&self) -> u32 { 1 }
    #[on_request] fn r2(&self) -> u32 { 2 }
    #[on_request] fn r3(&self) -> u32 { 3 }
    #[on_request] fn r4(&self) -> u32 { 4 }
    #[on_request] fn r5(&self) -> u32 { stay() }
    #[on_request] fn r6(&self) -> u32 { 6 }
    #[on_request] fn r7(&self) -> u32 { 7 }
    #[on_request] fn r8(&self) -> u32 { 8 }
    #[on_request] fn r9(&self) -> u32 { 9 }
    #[on_request] fn r10(&self) -> u32 { 10 }
    #[on_request] fn r11(&self) -> u32 { 11 }
    #[on_request] fn r12(&self) -> u32 { 12 }
    #[on_request] fn r13(&self) -> u32 { 13 }
    #[on_request] fn r14(&self) -> u32 { 14 }
    #[on_request] fn r15(&self) -> u32 { 15 }
    #[on_request] fn r16(&self) -> u32 { 16 }
    #[on_request] fn r17(&self) -> u32 { 17 }
    #[on_request] fn r18(&self) -> u32 { 18 }
    #[on_request] fn r19(&self) -> u32 { 19 }
    #[on_request] fn r20(&self) -> u32 { 20 }
    #[on_request] fn r21(&self) -> u32 { 21 }
    #[on_request] fn r22(&self) -> u32 { 22 }
    #[on_request] fn r23(&self) -> u32 { 23 }
    #[on_request] fn r24(&self) -> u32 { 24 }
    #[on_request] fn r25(&self) -> u32 { 25 }
    #[on_request] fn r26(&self) -> u32 { 26 }
    #[on_request] fn r27(&self) -> u32 { 27 }
    #[on_request] fn r28(&self) -> u32 { 28 }
    #[on_request] fn r29(&self) -> u32 { 29 }
    #[on_request] fn r30(&self) -> u32 { 30 }
    #[on_request] fn r31(&self) -> u32 { 31 }
    #[on_request] fn r32(&self) -> u32 { 32 }
    #[on_request] fn r33(&self) -> u32 { 33 }
    #[on_request] fn r34(&self) -> u32 { 34 }
    #[on_request] fn r35(&self) -> u32 { 35 }
    #[on_request] fn r36(&self) -> u32 { 36 }
    #[on_request] fn r37(&self) -> u32 { 37 }
    #[on_request] fn r38(&self) -> u32 { 38 }
    #[on_request] fn r39(&self) -> u32 { 39 }
    #[on_request] fn r40(&self) -> u32 { 40 }
    #[on_request] fn r41(&self) -> u32 { 41 }
    #[on_request] fn r42(&self) -> u32 { 42 }
    #[on_request] fn r43(&self) -> u32 { 43 }
    #[on_request] fn r44(&self) -> u32 { 44 }
    #[on_request] fn r45(&self) -> u32 { 45 }
    #[on_request] fn r46(&self) -> u32 { 46 }
    #[on_request] fn r47(&self) -> u32 { 47 }
    #[on_request] fn r48(&self) -> u32 { 48 }
    #[on_request] fn r49(&self) -> u32 { 49 }
    #[on_request] fn r50(&self) -> u32 { 50 }
    #[on_request] fn r51(&self) -> u32 { 51 }
    #[on_request] fn r52(&self) -> u32 { 52 }
    #[on_request] fn r53(&self) -> u32 { 53 }
    #[on_request] fn r54(&self) -> u32 { 54 }
    #[on_request] fn r55(&self) -> u32 { 55 }
    #[on_request] fn r56(&self) -> u32 { 56 }
    #[on_request] fn r57(&self) -> u32 { 57 }
    #[on_request] fn r58(&self) -> u32 { 58 }
    #[on_request] fn r59(&self) -> u32 { 59 }
    #[on_request] fn r60(&self) -> u32 { 60 }
    #[on_request] fn r61(&self) -> u32 { 61 }
    #[on_request] fn r62(&self) -> u32 { 62 }
    #[on_request] fn r63(&self) -> u32 { 63 }
    #[on_request] fn r64(&self) -> u32 { 64 }
    #[on_request] fn r65(&self) -> u32 { 65 }
    #[on_request] fn r66(&self) -> u32 { 66 }
    #[on_request] fn r67(&self) -> u32 { 67 }
    #[on_request] fn r68(&self) -> u32 { 68 }
    #[on_request] fn r69(&self) -> u32 { stay() }
}

/// What stops says while a thread is inside that request.
fn stuck_in(request: &str) -> String {
    let runtime = Runtime::builder().modules(modules![Many]).drain_timeout(Duration::from_millis(50)).build().unwrap();
    runtime.start().unwrap();
    GO.store(false, SeqCst);
    std::thread::scope(|scope| {
        scope.spawn(|| runtime.call::<(), u32>(request, ()).unwrap());
        ENTERED.wait();
        let error = runtime.stop().unwrap_err().to_string();
        GO.store(true, SeqCst);
        error
    })
}

#[test]
fn a_stuck_handler_is_named_rightly_or_not_at_all() {
    let among_the_first = stuck_in("many.r5");
    assert!(among_the_first.contains("`many.r5`"), "{among_the_first}");
    let after_them = stuck_in("many.r69");
    assert!(after_them.contains("a handler") && !after_them.contains("many.r"), "{after_them}");
}
