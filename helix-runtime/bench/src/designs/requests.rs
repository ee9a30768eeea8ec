//! How a resolved request reaches its handler with its types, and is kept safe from a change meanwhile.
//!
//! - *Out-pointers*: the types were compared when the request was resolved; the handler reads and writes through pointers,
//!   and returns a byte. No protection at all.
//! - *`dyn Any`*: the handler compares the types itself.
//! - *Out-pointers, sequence and mark*: ours without a chain of calls.
//! - *Out-pointers under an `RwLock`*.

use std::any::Any;
use std::hint::black_box;
use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{MARK, OPEN, inside, mark};
use crate::requests::{self, Clerk};
use crate::row::{Contender, Row};
use crate::work::keep;

pub fn rows() -> Vec<Row> {
    let others = || [pointers(), any(), marked(), read_locked()];
    vec![Row::new("designs of a request by handle", move || requests::by_handle_field().beside(others()))]
}

type Handler = unsafe fn(&Clerk, *const u64, *mut u64) -> u8;

/// # Safety
/// `number` may be read, `reply` written.
unsafe fn handler(clerk: &Clerk, number: *const u64, reply: *mut u64) -> u8 {
    // SAFETY: the caller's promise.
    unsafe { reply.write(clerk.reply(number.read())) };
    0
}

/// Calls a handler with the value that everybody asks for.
fn ask(handler: Handler, clerk: &Clerk) {
    let (number, mut reply) = (black_box(3), 0);
    // SAFETY: both are of this frame.
    let status = unsafe { handler(clerk, &raw const number, &raw mut reply) };
    assert_eq!(status, 0);
    black_box(reply);
}

fn design(name: &'static str, clerk: &'static Clerk, ask: impl Fn() + 'static) -> Contender {
    let run = move |operations| {
        for _ in 0..operations {
            ask();
        }
    };
    Contender::new(name, run, move || clerk.calls())
}

fn entry() -> (Handler, &'static Clerk) {
    let clerk: &Clerk = keep(Clerk::default());
    black_box((handler as Handler, clerk))
}

fn pointers() -> Contender {
    let entry = entry();
    design("out-pointers", entry.1, move || {
        let &(handler, clerk) = black_box(&entry);
        ask(handler, clerk);
    })
}

fn any() -> Contender {
    type Handler = fn(&Clerk, &dyn Any, &mut dyn Any) -> bool;
    let handler: Handler = |clerk, number, reply| match (number.downcast_ref::<u64>(), reply.downcast_mut::<u64>()) {
        (Some(number), Some(reply)) => {
            *reply = clerk.reply(*number);
            true
        }
        _ => false,
    };
    let clerk: &Clerk = keep(Clerk::default());
    let entry = black_box((handler, clerk));
    design("`dyn Any`", clerk, move || {
        let &(handler, clerk) = black_box(&entry);
        let (number, mut reply) = (black_box(3_u64), 0_u64);
        assert!(handler(clerk, &number, &mut reply));
        black_box(reply);
    })
}

fn marked() -> Contender {
    let (entry, word) = (entry(), AtomicUsize::new(OPEN));
    design("out-pointers, sequence and mark", entry.1, move || {
        inside(|| {
            MARK.with(|own| {
                if mark(own, black_box(&word)) {
                    let &(handler, clerk) = black_box(&entry);
                    ask(handler, clerk);
                }
                own.store(0, Ordering::Release);
            });
        });
    })
}

fn read_locked() -> Contender {
    let entry = entry();
    let locked = RwLock::new(entry);
    design("out-pointers under an `RwLock`", entry.1, move || {
        let entry = black_box(&locked).read().expect("nobody panics");
        ask(entry.0, entry.1);
    })
}
