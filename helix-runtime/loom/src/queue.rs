//! A queue in crossbeam's place, ordered no more strictly than that one: a stamp a slot, and two counters.
//!
//! A queue under one mutex would order a look that finds nothing before the push that it misses, and so hide a barrier
//! that is not there.

use std::collections::VecDeque;

use crate::sync::{AtomicUsize, Ordering};
use loom::sync::Mutex;

pub(crate) struct ArrayQueue<T> {
    /// Which slot is pushed into next, and which is popped next. They are not wrapped: a proof pushes a few values only.
    tail: AtomicUsize,
    head: AtomicUsize,
    capacity: usize,
    slots: Vec<Slot<T>>,
}

struct Slot<T> {
    filled: AtomicUsize,
    value: Mutex<VecDeque<T>>,
}

/// How many values a proof may push in all.
const PUSHES: usize = 4;

impl<T> ArrayQueue<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        let slot = |_| Slot { filled: AtomicUsize::new(0), value: Mutex::new(VecDeque::new()) };
        Self { tail: AtomicUsize::new(0), head: AtomicUsize::new(0), capacity, slots: (0..PUSHES).map(slot).collect() }
    }

    pub(crate) fn push(&self, value: T) -> Result<(), T> {
        let mut tail = self.tail.load(Ordering::Relaxed);
        loop {
            if tail >= self.head.load(Ordering::Acquire) + self.capacity {
                return Err(value);
            }
            match self.tail.compare_exchange(tail, tail + 1, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => tail = now,
            }
        }
        self.slots[tail].value.lock().unwrap().push_back(value);
        self.slots[tail].filled.store(1, Ordering::Release);
        Ok(())
    }

    pub(crate) fn pop(&self) -> Option<T> {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            if self.slots[head].filled.load(Ordering::Acquire) == 0 {
                // Crossbeam spins where a push is under way; to find nothing is the harder case for the channel.
                let now = self.head.load(Ordering::Relaxed);
                if now == head {
                    return None;
                }
                head = now;
                continue;
            }
            match self.head.compare_exchange(head, head + 1, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => return self.slots[head].value.lock().unwrap().pop_front(),
                Err(now) => head = now,
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.head.load(Ordering::SeqCst) == self.tail.load(Ordering::SeqCst)
    }
}
