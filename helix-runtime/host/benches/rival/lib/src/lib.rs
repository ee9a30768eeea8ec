//! What is edited: the module of the benchmark, and its number as a function besides.

use helix_runtime::prelude::*;

/// Answers.
#[helix_module(name = "answer", flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Answer;

#[helix_handlers]
impl Answer {
    #[on_request]
    fn nothing(&self) {}

    #[on_request]
    fn number(&self) -> u64 {
        number()
    }

    #[on_event(Tick)]
    fn tick(&self, tick: &Tick) {
        core::hint::black_box(tick.tick_number);
    }
}

/// The number that the benchmark changes.
#[unsafe(no_mangle)]
pub fn number() -> u64 {
    0
}
