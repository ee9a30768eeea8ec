//! Requests that were found once: a resolved call against an indirect call of the same work.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use helix_runtime::prelude::*;
use helix_runtime::{Module, Runtime};

use crate::row::{Contender, Field, Row};
use crate::work::{Tally, answer, keep, running, tally, tell};

/// Something that answers numbers, as a contract.
#[helix_service("answers")]
pub trait Answers {
    /// Answers a number.
    fn ask(&self, number: u64) -> u64;
}

/// Answers without a lock.
#[helix_module(name = "clerk", provides = [Answers])]
#[derive(Default)]
pub struct Clerk {
    calls: AtomicU64,
}

#[helix_handlers]
impl Clerk {
    /// Answers a number.
    #[on_request]
    pub fn reply(&self, number: u64) -> u64 {
        answer(&self.calls, number)
    }
    #[on_event(Tally)]
    fn tally(&self) {
        tell(&self.calls);
    }
}

impl Clerk {
    /// How many calls it has counted.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

impl Answers for Clerk {
    fn ask(&self, number: u64) -> u64 {
        answer(&self.calls, number)
    }
}

/// Answers alone.
#[helix_module(name = "cashier")]
#[derive(Default)]
pub struct Cashier {
    calls: AtomicU64,
}

#[helix_handlers]
impl Cashier {
    #[on_request]
    fn reply(&mut self, number: u64) -> u64 {
        answer(&self.calls, number)
    }
    #[on_event(Tally)]
    fn tally(&self) {
        tell(&self.calls);
    }
}

/// A call through a pointer.
fn indirect() -> Contender {
    let clerk = keep(Clerk::default());
    let entry: (fn(&Clerk, u64) -> u64, _) = black_box((Clerk::reply, clerk));
    let run = move |operations| {
        for _ in 0..operations {
            let (call, clerk) = black_box(&entry);
            black_box(call(clerk, black_box(3)));
        }
    };
    Contender::new("indirect call", run, || clerk.calls.load(Ordering::Relaxed))
}

/// A call through a pointer, under a lock that nobody else wants.
fn indirect_locked() -> Contender {
    let cashier = keep(spin::Mutex::new(Cashier::default()));
    let enter = |cashier: &spin::Mutex<Cashier>, number| cashier.lock().reply(number);
    let entry: (fn(&spin::Mutex<Cashier>, u64) -> u64, _) = black_box((enter, cashier));
    let run = move |operations| {
        for _ in 0..operations {
            let (call, cashier) = black_box(&entry);
            black_box(call(cashier, black_box(3)));
        }
    };
    Contender::new("indirect call under a spin lock", run, || cashier.lock().calls.load(Ordering::Relaxed))
}

fn trait_object() -> Contender {
    let clerk = keep(Clerk::default());
    struct Borrowed(&'static Clerk);
    impl Answers for Borrowed {
        fn ask(&self, number: u64) -> u64 {
            self.0.ask(number)
        }
    }
    let boxed: Box<dyn Answers> = black_box(Box::new(Borrowed(clerk)));
    let run = move |operations| {
        for _ in 0..operations {
            black_box(black_box(&boxed).ask(black_box(3)));
        }
    };
    Contender::new("`Box<dyn Trait>`", run, || clerk.calls.load(Ordering::Relaxed))
}

/// A resolved request of a module.
fn by_handle(runtime: &'static Runtime, request: &str) -> Contender {
    let resolved = runtime.resolve::<(u64,), u64>(request).expect("there is such a request");
    let run = move |operations| {
        for _ in 0..operations {
            black_box(black_box(&resolved).call((black_box(3),)).expect("its module runs"));
        }
    };
    Contender::new("`Resolved::call`", run, move || tally(runtime))
}

fn by_client(runtime: &'static Runtime) -> Contender {
    let client: AnswersClient = runtime.service().expect("somebody answers");
    let run = move |operations| {
        for _ in 0..operations {
            black_box(black_box(&client).ask(black_box(3)).expect("its module runs"));
        }
    };
    Contender::new("client", run, move || tally(runtime))
}

fn by_bytes(runtime: &'static Runtime) -> Contender {
    let run = move |operations| {
        let mut reply = [0; 16];
        for _ in 0..operations {
            let length = runtime.request_into(black_box("clerk.reply"), black_box(&[3]), &mut reply);
            length.expect("its module runs");
            black_box(&reply);
        }
    };
    Contender::new("`request_into`", run, move || tally(runtime))
}

fn clerk() -> &'static Runtime {
    running(Runtime::builder(), [Clerk::DESCRIPTOR])
}

fn cashier() -> &'static Runtime {
    running(Runtime::builder(), [Cashier::DESCRIPTOR])
}

/// A resolved request, against an indirect call.
pub fn by_handle_field() -> Field {
    Field::new(indirect(), by_handle(clerk(), "clerk.reply"))
}

/// The rows.
pub fn rows() -> Vec<Row> {
    let handle = || by_handle_field().beside([trait_object()]);
    vec![
        Row::new("request by handle", handle).within(2.0),
        Row::new("request through a client of a contract", || Field::new(indirect(), by_client(clerk()))),
        Row::new("request by handle, `&mut self`", || {
            Field::new(indirect_locked(), by_handle(cashier(), "cashier.reply"))
        }),
        Row::new("request into a buffer, by name, in bytes", || Field::new(indirect(), by_bytes(clerk()))),
    ]
}
