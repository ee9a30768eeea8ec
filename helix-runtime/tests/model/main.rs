//! Any program of subscriptions, publications, letters and transitions comes to exactly what a plain model says.
//!
//! A program runs in the real runtime (`real.rs`) and in the model (`right.rs`, `life.rs`, `acts.rs`); after each step the lines that
//! both have written, and what both say of themselves, are the same. A program that fails is shrunk, and printed as it is.
#![allow(missing_docs)]
#![cfg(not(miri))] // Thousands of programs, and nothing here is unsafe.

mod acts;
mod beings;
mod cover;
mod known;
mod life;
mod modules;
mod real;
mod right;
mod step;

use proptest::prelude::*;

use real::Real;
use right::Right;
use step::{Step, program};

/// Small, so that they matter.
pub const RING: usize = 2;
pub const MAILBOX: usize = 2;
pub const DEPTH: usize = 4;

/// Panics that are told to happen are not printed.
pub fn hush() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !info.payload_as_str().is_some_and(|text| text.ends_with("told to panic") && !text.contains('\n')) {
                loud(info);
            }
        }));
    });
}

/// Runs a program in both. What both say of each step, or where they differ.
pub fn compare(program: &[Step]) -> Result<Vec<Vec<String>>, String> {
    let (real, mut right) = (Real::new(), Right::begun());
    let mut lines = vec![real.taken()];
    (lines[0] == right.trace[..right.trace.len() - 1]).then_some(()).ok_or("they begin differently")?;
    right.trace.clear();
    for (at, step) in program.iter().enumerate() {
        real.step(step);
        right.step(step);
        let (is, expected) = (real.taken(), std::mem::take(&mut right.trace));
        if is != expected {
            return Err(format!("step {at}, {step:?}:\nfound    {is:#?}\nexpected {expected:#?}"));
        }
        lines.push(is);
        let (is, expected) = (real.stats(), right.stats());
        if is != expected {
            return Err(format!("stats after step {at}, {step:?}:\nfound    {is:#?}\nexpected {expected:#?}"));
        }
    }
    Ok(lines)
}

/// More than 1 500 if `PROPTEST_CASES` says so.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: default.cases.max(1_500), failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_program_comes_to_what_the_model_says(program in program()) {
        hush();
        if let Err(difference) = compare(&program) {
            prop_assert!(false, "{}", difference);
        }
    }
}
