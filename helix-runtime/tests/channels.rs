//! Channels: what is sent arrives once, what fails comes back, and Full, Empty and Closed are told apart.
#![allow(missing_docs)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use helix_runtime::channel::{
    Receiver, RecvError, RecvTimeoutError, SendError, TryRecvError, channel, default_channel, oneshot, spsc,
};
use helix_runtime::{ModuleError, ModuleResult};

const MANY: u64 = if cfg!(miri) { 40 } else { 100_000 };
const SOON: Duration = Duration::from_millis(5);
const AMPLE: Duration = Duration::from_secs(60);

#[test]
fn a_full_channel_gives_the_value_back() {
    let (tx, rx) = channel(2);
    tx.send(String::from("a")).unwrap();
    tx.send(String::from("b")).unwrap();
    assert_eq!(tx.send(String::from("c")), Err(SendError::Full(String::from("c"))));
    assert_eq!((tx.len(), tx.capacity(), rx.len(), rx.capacity()), (2, 2, 2, 2));
    assert_eq!(rx.try_recv().unwrap(), "a");
    tx.send(String::from("c")).unwrap();
    assert!(rx.drain().eq(["b", "c"]));
    assert!(rx.is_empty() && tx.is_empty());
}

#[test]
fn closed_and_empty_are_told_apart() {
    let (tx, rx) = default_channel::<u8>();
    let second = tx.clone();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    drop(tx);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    second.send(1).unwrap();
    drop(second);
    assert!(!rx.is_closed());
    assert_eq!(rx.try_recv(), Ok(1));
    assert!(rx.is_closed());
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
}

#[test]
fn closed_and_full_are_told_apart() {
    let (tx, rx) = channel(1);
    let second = rx.clone();
    tx.send(1).unwrap();
    drop(rx);
    assert!(!tx.is_closed());
    assert_eq!(tx.send(2), Err(SendError::Full(2)));
    drop(second);
    assert!(tx.is_closed());
    assert_eq!(tx.send(2), Err(SendError::Closed(2)));
}

#[test]
fn values_go_with_the_last_receiver_though_senders_stay() {
    let value = Arc::new(());
    let (tx, rx) = channel(4);
    tx.send(value.clone()).unwrap();
    assert_eq!(Arc::strong_count(&value), 2);
    drop(rx);
    assert_eq!(Arc::strong_count(&value), 1);
    assert!(tx.send(value.clone()).is_err());
    assert_eq!(Arc::strong_count(&value), 1);
}

#[test]
fn a_capacity_of_none_is_taken_for_one() {
    let (tx, rx) = channel(0);
    assert_eq!(tx.capacity(), 1);
    tx.send(1).unwrap();
    assert_eq!(tx.send(2), Err(SendError::Full(2)));
    assert_eq!(rx.try_recv(), Ok(1));
    let (mut producer, mut consumer) = spsc(0);
    assert_eq!(producer.capacity(), 1);
    producer.push(1).unwrap();
    assert_eq!(consumer.pop(), Ok(1));
}

#[test]
fn draining_ends_though_senders_go_on() {
    let (tx, rx) = channel(8);
    tx.send(0).unwrap();
    tx.send(1).unwrap();
    let mut drained = Vec::new();
    for value in rx.drain() {
        tx.send(value + 10).unwrap();
        drained.push(value);
    }
    assert_eq!(drained, [0, 1]);
    assert_eq!(rx.len(), 2);
}

#[test]
fn a_large_payload_is_moved_and_not_copied() {
    let payload = vec![7_u8; 16 << 20];
    let place = payload.as_ptr();
    let (tx, rx) = channel(1);
    tx.send(payload).unwrap();
    let payload = rx.try_recv().unwrap();
    let (tx, rx) = oneshot();
    tx.send(payload).unwrap();
    let payload = rx.try_recv().unwrap();
    let (mut producer, mut consumer) = spsc(1);
    producer.push(payload).unwrap();
    let payload = consumer.pop().unwrap();
    assert_eq!(payload.as_ptr(), place);
    assert_eq!(payload.len(), 16 << 20);
}

/// A turn of a receiver: a value or none, and nothing at all when the channel is closed.
type Receive = fn(&Receiver<(u64, u64)>) -> Option<Option<(u64, u64)>>;

#[test]
fn each_of_many_values_of_many_senders_arrives_once_and_in_its_senders_order() {
    const SENDERS: u64 = 3;
    let (tx, rx) = channel::<(u64, u64)>(64);
    let senders: Vec<_> = (0..SENDERS).map(|sender| (sender, tx.clone())).collect();
    drop(tx);
    let senders = senders.into_iter().map(|(sender, tx)| {
        thread::spawn(move || {
            for number in 0..MANY {
                let mut value = (sender, number);
                while let Err(error) = tx.send(value) {
                    assert!(error.is_full());
                    value = error.into_inner();
                    thread::yield_now();
                }
            }
        })
    });
    let senders: Vec<_> = senders.collect();
    // One looks, one blocks, one blocks for a time: whoever it goes to, it goes to one.
    let receive: [Receive; 3] = [
        |rx| match rx.try_recv() {
            Ok(value) => Some(Some(value)),
            Err(TryRecvError::Empty) => {
                thread::yield_now();
                Some(None)
            }
            Err(TryRecvError::Closed) => None,
        },
        |rx| rx.recv().ok().map(Some),
        |rx| match rx.recv_timeout(Duration::from_micros(50)) {
            Ok(value) => Some(Some(value)),
            Err(RecvTimeoutError::Timeout) => Some(None),
            Err(RecvTimeoutError::Closed) => None,
        },
    ];
    let receivers: Vec<_> = receive
        .into_iter()
        .map(|receive| {
            let rx = rx.clone();
            thread::spawn(move || {
                let mut received = Vec::new();
                while let Some(value) = receive(&rx) {
                    received.extend(value);
                }
                received
            })
        })
        .collect();
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    let mut all = BTreeSet::new();
    let mut count = 0;
    for receiver in receivers {
        let mut last = [None; SENDERS as usize];
        for (sender, number) in receiver.join().unwrap() {
            let last = &mut last[sender as usize];
            assert!(last.is_none_or(|last| last < number), "out of order");
            *last = Some(number);
            all.insert((sender, number));
            count += 1;
        }
    }
    assert_eq!(count, SENDERS * MANY, "each once");
    assert_eq!(all.len() as u64, count, "none twice");
}

#[test]
fn a_value_in_flight_is_received_before_closed_is_said() {
    for round in 0..MANY.min(2000) {
        let (tx, rx) = oneshot();
        let sender = thread::spawn(move || tx.send(round).unwrap());
        let received = loop {
            match rx.try_recv() {
                Ok(value) => break value,
                Err(TryRecvError::Empty) => thread::yield_now(),
                Err(TryRecvError::Closed) => panic!("the value was lost"),
            }
        };
        assert_eq!(received, round);
        sender.join().unwrap();
    }
}

#[test]
fn blocking_ends_with_a_value_with_the_last_sender_or_with_the_time() {
    let (tx, rx) = channel(4);
    assert_eq!(rx.recv_timeout(SOON), Err(RecvTimeoutError::Timeout));
    assert_eq!(rx.recv_timeout(Duration::ZERO), Err(RecvTimeoutError::Timeout));
    let ping = thread::spawn(move || {
        for number in 0..100 {
            while tx.send(number).is_err() {
                thread::yield_now();
            }
        }
    });
    for number in 0..100 {
        let received = if number % 2 == 0 { rx.recv().ok() } else { rx.recv_timeout(AMPLE).ok() };
        assert_eq!(received, Some(number));
    }
    assert_eq!(rx.recv(), Err(RecvError));
    assert_eq!(rx.recv_timeout(Duration::MAX), Err(RecvTimeoutError::Closed));
    ping.join().unwrap();
}

/// What a waker does is a user's code: it may use the very channel that wakes it.
#[test]
fn a_oneshot_says_whether_its_sender_went_with_or_without_a_value() {
    let (tx, rx) = oneshot::<u8>();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(rx.recv_timeout(SOON), Err(RecvTimeoutError::Timeout));
    tx.send(1).unwrap();
    assert!(!rx.is_closed());
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));

    let (tx, rx) = oneshot::<u8>();
    drop(tx);
    assert!(rx.is_closed());
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(rx.recv_timeout(AMPLE), Err(RecvTimeoutError::Closed));
    assert_eq!(rx.recv(), Err(RecvError));
}

#[test]
fn a_oneshot_whose_receiver_is_gone_gives_the_value_back() {
    let (tx, rx) = oneshot();
    assert!(!tx.is_closed());
    drop(rx);
    assert!(tx.is_closed());
    assert_eq!(tx.send(String::from("kept")), Err(SendError::Closed(String::from("kept"))));
}

#[test]
fn a_ring_counts_what_does_not_fit_and_gives_it_back() {
    let (mut producer, mut consumer) = spsc(2);
    for number in 0..5 {
        let result = producer.push(number);
        assert_eq!(result, if number < 2 { Ok(()) } else { Err(SendError::Full(number)) });
    }
    assert!(producer.is_full());
    assert_eq!((consumer.len(), consumer.capacity(), consumer.overflowed()), (2, 2, 3));
    assert_eq!(consumer.take_overflowed(), 3);
    assert_eq!((consumer.overflowed(), consumer.take_overflowed()), (0, 0));
    assert!(consumer.drain().eq([0, 1]));
    assert_eq!(consumer.pop(), Err(TryRecvError::Empty));
    producer.push(9).unwrap();
    drop(producer);
    assert!(!consumer.is_closed());
    assert_eq!(consumer.pop(), Ok(9));
    assert_eq!(consumer.pop(), Err(TryRecvError::Closed));
    assert!(consumer.is_closed());
}

#[test]
fn what_goes_through_a_ring_between_threads_is_received_or_counted() {
    let (mut producer, mut consumer) = spsc(16);
    let pushing = thread::spawn(move || (0..MANY).filter(|number| producer.push(*number).is_ok()).count() as u64);
    let (mut received, mut last) = (0, None);
    loop {
        match consumer.pop() {
            Ok(number) => {
                assert!(last.is_none_or(|last| last < number), "out of order");
                last = Some(number);
                received += 1;
            }
            Err(TryRecvError::Empty) => thread::yield_now(),
            Err(TryRecvError::Closed) => break,
        }
    }
    assert_eq!(received, pushing.join().unwrap());
    assert_eq!(received + u64::from(consumer.take_overflowed()), MANY);
}

#[test]
fn a_modules_own_function_may_use_the_question_mark() {
    fn relay() -> ModuleResult<u32> {
        let (tx, rx) = channel(1);
        tx.send(1)?;
        let first = rx.try_recv()?;
        rx.try_recv()?;
        Ok(first)
    }
    assert_eq!(relay(), Err(ModuleError::new("a channel is empty")));
}
