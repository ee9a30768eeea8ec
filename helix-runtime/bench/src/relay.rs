//! Channels between two threads: how fast values pass from one to the other.

use std::hint::{black_box, spin_loop};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use crossbeam_queue::ArrayQueue;
use helix_runtime::{channel, spsc};

use crate::channels::heapless_ends;
use crate::row::{Contender, Field, Row};
use crate::work::keep;

/// More than on one thread: where a channel is always full or empty, the waiting is measured.
const CAPACITY: usize = 1024;

#[derive(Default)]
struct Meeting {
    ready: AtomicBool,
    received: AtomicU64,
}

/// Waits in small steps, and lets others have the core when that takes long: there may be fewer cores than threads.
fn until(mut is_done: impl FnMut() -> bool) {
    let mut tries = 0_u32;
    while !is_done() {
        tries += 1;
        if tries.is_multiple_of(64) {
            thread::yield_now();
        } else {
            spin_loop();
        }
    }
}

/// One contender: this thread sends, another receives. Time runs while both are awake.
fn across(
    name: &'static str,
    mut send: impl FnMut(u64) -> bool + 'static,
    mut receive: impl FnMut() -> Option<u64> + Send + 'static,
) -> Contender {
    let meeting = Arc::new(Meeting::default());
    let (jobs, orders) = mpsc::channel::<u64>();
    let there = meeting.clone();
    // It ends with the contender, which has the other end of its orders.
    thread::spawn(move || {
        while let Ok(values) = orders.recv() {
            there.ready.store(true, Ordering::Release);
            for _ in 0..values {
                until(|| receive().map(black_box).is_some());
            }
            there.received.fetch_add(values, Ordering::Release);
        }
    });
    let here = meeting.clone();
    let run = move |values| {
        let before = here.received.load(Ordering::Acquire);
        jobs.send(values).expect("the receiver waits for orders");
        until(|| here.ready.swap(false, Ordering::Acquire));
        let began = Instant::now();
        for value in 0..values {
            until(|| send(black_box(value)));
        }
        until(|| here.received.load(Ordering::Acquire) == before + values);
        began.elapsed()
    };
    Contender::timed(name, run, move || meeting.received.load(Ordering::Acquire))
}

fn rings() -> Field {
    let (mut push, mut pop) = rtrb::RingBuffer::new(CAPACITY);
    let floor = across("rtrb", move |value| push.push(value).is_ok(), move || pop.pop().ok());
    let (mut push, mut pop) = spsc(CAPACITY);
    // A value that finds the ring full is counted as lost. Who would rather wait asks first.
    let ours = across("`spsc`", move |value| !push.is_full() && push.push(value).is_ok(), move || pop.pop().ok());
    let (mut push, mut pop) = heapless_ends::<CAPACITY>();
    let heapless = across("heapless spsc", move |value| push.enqueue(value).is_ok(), move || pop.dequeue());
    Field::new(floor, ours).beside([heapless])
}

fn queues() -> Field {
    let queue = keep(ArrayQueue::new(CAPACITY));
    let floor = across("crossbeam `ArrayQueue`", |value| queue.push(value).is_ok(), || queue.pop());
    let (tx, rx) = channel(CAPACITY);
    let ours = across("`channel`", move |value| tx.send(value).is_ok(), move || rx.try_recv().ok());
    let (tx, rx) = crossbeam_channel::bounded(CAPACITY);
    let crossbeam = across("crossbeam-channel", move |value| tx.try_send(value).is_ok(), move || rx.try_recv().ok());
    let (tx, rx) = mpsc::sync_channel(CAPACITY);
    let std = across("`std::sync::mpsc`", move |value| tx.try_send(value).is_ok(), move || rx.try_recv().ok());
    Field::new(floor, ours).beside([crossbeam, std])
}

/// The rows.
pub fn rows() -> Vec<Row> {
    vec![
        Row::new("channel for one to one, two threads", rings).within(1.5).stretched(8),
        Row::new("channel for many to many, two threads", queues).within(1.2).stretched(8),
    ]
}
