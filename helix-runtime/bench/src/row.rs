//! What one row of the table is made of: contenders that do the same work, the hand-written floor first.

use std::time::{Duration, Instant};

/// How many calls of the opaque functions were made: in all, or by each of those who were called.
pub trait Calls {
    /// A figure for each.
    fn each(self) -> Vec<u64>;
}

impl Calls for u64 {
    fn each(self) -> Vec<u64> {
        vec![self]
    }
}

impl Calls for Vec<u64> {
    fn each(self) -> Vec<u64> {
        self
    }
}

/// One way of doing a row's work.
pub struct Contender {
    /// What it is.
    pub name: &'static str,
    run: Box<dyn FnMut(u64) -> Duration>,
    calls: Box<dyn Fn() -> Vec<u64>>,
}

impl Contender {
    /// One that does a number of operations. `calls` says how many calls of the opaque functions it has made so far.
    pub fn new<C: Calls>(
        name: &'static str,
        mut run: impl FnMut(u64) + 'static,
        calls: impl Fn() -> C + 'static,
    ) -> Self {
        let timed = move |operations| {
            let began = Instant::now();
            run(operations);
            began.elapsed()
        };
        Self::timed(name, timed, calls)
    }

    /// One that takes its own time, because its threads must be awake first.
    pub fn timed<C: Calls>(
        name: &'static str,
        run: impl FnMut(u64) -> Duration + 'static,
        calls: impl Fn() -> C + 'static,
    ) -> Self {
        Self { name, run: Box::new(run), calls: Box::new(move || calls().each()) }
    }

    /// Counts the calls in another way.
    pub fn count_by<C: Calls>(&mut self, calls: impl Fn() -> C + 'static) {
        self.calls = Box::new(move || calls().each());
    }

    /// Does a number of operations, and says how long they took.
    pub fn run(&mut self, operations: u64) -> Duration {
        (self.run)(operations)
    }

    /// How many calls of the opaque functions it has made so far, to each of those who were called.
    #[must_use]
    pub fn calls(&self) -> Vec<u64> {
        (self.calls)()
    }
}

/// The contenders of one row.
pub struct Field {
    /// What one would write by hand for this case alone.
    pub floor: Contender,
    /// The runtime.
    pub ours: Contender,
    /// What one might use instead.
    pub others: Vec<Contender>,
}

impl Field {
    /// The floor and ours, nobody else.
    pub fn new(floor: Contender, ours: Contender) -> Self {
        Self { floor, ours, others: Vec::new() }
    }

    /// Adds what does the same work in another way.
    #[must_use]
    pub fn beside(mut self, others: impl IntoIterator<Item = Contender>) -> Self {
        self.others.extend(others);
        self
    }

    /// All of them, the floor first, ours second.
    #[must_use]
    pub fn into_contenders(self) -> Vec<Contender> {
        [self.floor, self.ours].into_iter().chain(self.others).collect()
    }
}

/// A row before it is run.
pub struct Row {
    /// What is measured; what a filter looks at.
    pub what: String,
    /// How many times the floor ours may cost.
    pub budget: Option<f64>,
    /// How many handlers each operation calls once each, where that is what the row is about.
    pub handlers: Option<usize>,
    /// How many times longer than others' its batches take: threads need time to meet.
    pub stretch: u32,
    make: Box<dyn Fn() -> Field>,
}

impl Row {
    /// A row without a budget. Its contenders are made when it is run, so that rows do not crowd each other's memory.
    pub fn new(what: impl Into<String>, make: impl Fn() -> Field + 'static) -> Self {
        Self { what: what.into(), budget: None, handlers: None, stretch: 1, make: Box::new(make) }
    }

    /// Sets how many times the floor ours may cost.
    #[must_use]
    pub fn within(mut self, budget: f64) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Says how many handlers each operation calls once each.
    #[must_use]
    pub fn calling(mut self, handlers: usize) -> Self {
        self.handlers = Some(handlers);
        self
    }

    /// Makes its batches so many times longer.
    #[must_use]
    pub fn stretched(mut self, stretch: u32) -> Self {
        self.stretch = stretch;
        self
    }

    /// Makes its contenders.
    #[must_use]
    pub fn field(&self) -> Field {
        (self.make)()
    }
}
