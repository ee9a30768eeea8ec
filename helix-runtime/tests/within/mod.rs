//! What tests share that could hang: a deadline, and a count of what lives.
#![allow(dead_code)]

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

static DOING: Mutex<String> = Mutex::new(String::new());

/// Says what is about to be tried, for the message if it hangs.
pub fn doing(what: String) {
    *DOING.lock().unwrap() = what;
}

/// Fails the test instead of hanging it.
pub fn within(seconds: u64, run: impl FnOnce() + Send + 'static) {
    let (done, finished) = channel::<()>();
    let thread = std::thread::Builder::new().name("under-watch".into()).spawn(move || {
        run();
        drop(done);
    });
    let seconds = if cfg!(miri) { seconds * 20 } else { seconds };
    let timeout = finished.recv_timeout(Duration::from_secs(seconds));
    assert_ne!(timeout, Err(RecvTimeoutError::Timeout), "it hangs {}", DOING.lock().unwrap());
    if let Err(panic) = thread.unwrap().join() {
        std::panic::resume_unwind(panic);
    }
}

/// Looks again and again until it is so; the watch around the test ends what never is.
pub fn until(mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(if cfg!(miri) { 600 } else { 60 }), "it never comes");
        std::thread::yield_now();
    }
}

/// How often something is done: fewer times under miri, as often as `HELIX_ROUNDS` says where that is set.
pub fn rounds(usual: u64, miri: u64) -> u64 {
    if cfg!(miri) {
        return miri;
    }
    std::env::var("HELIX_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

/// Which tokens of one kind live, and what was wrong with them.
pub struct Census {
    living: Mutex<BTreeSet<u64>>,
    next: AtomicU64,
    wrongs: AtomicU64,
}

impl Census {
    pub const fn new() -> Self {
        Self { living: Mutex::new(BTreeSet::new()), next: AtomicU64::new(0), wrongs: AtomicU64::new(0) }
    }

    pub fn token(&'static self) -> Token {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.living.lock().unwrap().insert(number);
        Token { census: self, number, inside: AtomicU64::new(0) }
    }

    pub fn living(&self) -> usize {
        self.living.lock().unwrap().len()
    }

    pub fn made(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// How many were dropped twice, or while someone was inside.
    pub fn wrongs(&self) -> u64 {
        self.wrongs.load(Ordering::Relaxed)
    }
}

/// Part of an instance: counts it, and who is inside.
pub struct Token {
    census: &'static Census,
    number: u64,
    inside: AtomicU64,
}

impl Token {
    pub fn enter(&self) {
        self.inside.fetch_add(1, Ordering::SeqCst);
    }

    pub fn leave(&self) {
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let was_there = self.census.living.lock().unwrap().remove(&self.number);
        if !was_there || *self.inside.get_mut() != 0 {
            self.census.wrongs.fetch_add(1, Ordering::Relaxed);
        }
    }
}
