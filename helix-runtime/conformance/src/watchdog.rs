//! Runs one case in a thread of its own, and fails it when it hangs.

use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::{CASES, Placement};

/// How long one case, or one wait within it, may take. It never takes that long unless something hangs; miri is a hundred times
/// slower.
pub(crate) const DEADLINE: Duration = Duration::from_secs(if cfg!(miri) { 3000 } else { 60 });

/// Runs a case by its name.
///
/// # Panics
/// When the case fails, hangs, or there is none of that name.
pub fn run(topic: &str, name: &str, placement: impl Placement + Send + 'static) {
    let case = CASES.iter().find(|case| (case.topic, case.name) == (topic, name));
    let run = case.unwrap_or_else(|| panic!("there is no case {topic}::{name}")).run;
    let (done, finished) = channel::<()>();
    let thread = thread::Builder::new().name(format!("{topic}::{name}")).spawn(move || {
        // Dropped when the case ends, in whatever way.
        let _done = done;
        run(&placement);
    });
    let thread = thread.expect("a thread for the case");
    if finished.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout) {
        panic!("{topic}::{name} is still running after {DEADLINE:?}: it hangs");
    }
    if let Err(panic) = thread.join() {
        resume_unwind(panic);
    }
}
