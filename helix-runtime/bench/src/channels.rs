//! Channels, one thread: each operation sends a value and receives it.

use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::mpsc;

use crossbeam_queue::ArrayQueue;
use helix_runtime::{channel, spsc};

use crate::row::{Contender, Field, Row};
use crate::work::keep;

const CAPACITY: usize = 64;

/// One contender: it sends a value and receives it, and counts what was received.
fn same_thread(name: &'static str, mut pass: impl FnMut(u64) -> Option<u64> + 'static) -> Contender {
    let received = Rc::new(Cell::new(0));
    let seen = received.clone();
    let run = move |operations| {
        let mut count = 0;
        for value in 0..operations {
            count += u64::from(black_box(pass(black_box(value))).is_some());
        }
        received.set(received.get() + count);
    };
    Contender::new(name, run, move || seen.get())
}

/// The ends of a ring of heapless, which borrow it. One of its places stays empty.
pub fn heapless_ends<const SIZE: usize>()
-> (heapless::spsc::Producer<'static, u64>, heapless::spsc::Consumer<'static, u64>) {
    Box::leak(Box::new(heapless::spsc::Queue::<u64, SIZE>::new())).split()
}

fn rings() -> Field {
    let (mut push, mut pop) = rtrb::RingBuffer::new(CAPACITY);
    let floor = same_thread("rtrb", move |value| push.push(value).ok().and_then(|()| pop.pop().ok()));
    let (mut push, mut pop) = spsc(CAPACITY);
    let ours = same_thread("`spsc`", move |value| push.push(value).ok().and_then(|()| pop.pop().ok()));
    let (mut push, mut pop) = heapless_ends::<CAPACITY>();
    let heapless = same_thread("heapless spsc", move |value| push.enqueue(value).ok().and_then(|()| pop.dequeue()));
    Field::new(floor, ours).beside([heapless])
}

fn queues() -> Field {
    let queue = keep(ArrayQueue::new(CAPACITY));
    let floor = same_thread("crossbeam `ArrayQueue`", |value| queue.push(value).ok().and_then(|()| queue.pop()));
    let (tx, rx) = channel(CAPACITY);
    let ours = same_thread("`channel`", move |value| tx.send(value).ok().and_then(|()| rx.try_recv().ok()));
    let (tx, rx) = crossbeam_channel::bounded(CAPACITY);
    let crossbeam =
        same_thread("crossbeam-channel", move |value| tx.try_send(value).ok().and_then(|()| rx.try_recv().ok()));
    let (tx, rx) = mpsc::sync_channel(CAPACITY);
    let std = same_thread("`std::sync::mpsc`", move |value| tx.try_send(value).ok().and_then(|()| rx.try_recv().ok()));
    Field::new(floor, ours).beside([crossbeam, std])
}

/// The rows.
pub fn rows() -> Vec<Row> {
    vec![
        Row::new("channel for one to one, same thread", rings).within(1.5),
        Row::new("channel for many to many, same thread", queues).within(1.2),
    ]
}
