//! Channels: a value in flight is never lost to the closing, no receiver sleeps beside a value, and none is forgotten.

#[path = "../../src/channel/error.rs"]
mod error;
#[path = "../../src/channel/shared.rs"]
mod shared;

use core::future::poll_fn;
use core::task::{Context, Poll, Waker};

use crate::among_three;
use error::{RecvError, SendError, TryRecvError};
use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use shared::{Place, Sent, Shared};

type Channel = Arc<Shared<u32>>;

fn channel(capacity: usize) -> Channel {
    Arc::new(Shared::new(capacity))
}

/// What `Sender::send` does with it.
fn send(channel: &Channel, value: u32) -> Result<(), SendError<u32>> {
    if channel.push(value)? == Sent::Stranded {
        channel.discard();
    }
    Ok(())
}

/// Waits as the future does, up to its drop.
fn recv(channel: &Channel) -> Result<u32, RecvError> {
    let mut place = Place::default();
    let result = block_on(poll_fn(|cx| channel.poll_recv(&mut place, cx.waker())));
    channel.leave(&mut place);
    result
}

/// Waits, and gives up at once: the drop of a future that was polled.
fn give_up(channel: &Channel) -> Option<u32> {
    let mut place = Place::default();
    let result = channel.poll_recv(&mut place, Waker::noop());
    channel.leave(&mut place);
    match result {
        Poll::Ready(Ok(value)) => Some(value),
        _ => None,
    }
}

#[test]
fn a_value_in_flight_is_received_before_closed_is_said() {
    loom::model(|| {
        let channel = channel(2);
        let sender = thread::spawn({
            let channel = channel.clone();
            move || {
                send(&channel, 1).unwrap();
                channel.remove_sender();
            }
        });
        let mut received = None;
        loop {
            match channel.try_recv() {
                Ok(value) => assert_eq!(received.replace(value), None),
                Err(TryRecvError::Empty) => thread::yield_now(),
                Err(TryRecvError::Closed) => break,
            }
        }
        assert_eq!(received, Some(1));
        sender.join().unwrap();
    });
}

#[test]
fn the_last_of_two_senders_closes_after_both_values() {
    among_three(2, || {
        let channel = channel(2);
        channel.add_sender();
        let senders = [1, 2].map(|value| {
            let channel = channel.clone();
            thread::spawn(move || {
                send(&channel, value).unwrap();
                channel.remove_sender();
            })
        });
        let mut sum = 0;
        while let Ok(value) = recv(&channel) {
            sum += value;
        }
        assert_eq!(sum, 3);
        senders.into_iter().for_each(|sender| sender.join().unwrap());
    });
}

#[test]
fn a_receiver_that_begins_to_wait_is_woken_by_the_send_it_did_not_see() {
    loom::model(|| {
        let channel = channel(1);
        let sender = thread::spawn({
            let channel = channel.clone();
            move || send(&channel, 1).unwrap()
        });
        assert_eq!(recv(&channel), Ok(1));
        sender.join().unwrap();
    });
}

#[test]
fn a_receiver_that_begins_to_wait_is_told_that_the_last_sender_goes() {
    loom::model(|| {
        let channel = channel(1);
        let sender = thread::spawn({
            let channel = channel.clone();
            move || channel.remove_sender()
        });
        assert_eq!(recv(&channel), Err(RecvError));
        sender.join().unwrap();
    });
}

#[test]
fn a_wake_up_that_is_spent_on_one_who_gives_up_reaches_the_next() {
    among_three(3, || {
        let channel = channel(1);
        channel.add_receiver();
        let impatient = thread::spawn({
            let channel = channel.clone();
            move || {
                // If it came just in time, the value is for the other all the same.
                if let Some(value) = give_up(&channel) {
                    send(&channel, value).unwrap();
                }
            }
        });
        let sender = thread::spawn({
            let channel = channel.clone();
            move || send(&channel, 1).unwrap()
        });
        assert_eq!(recv(&channel), Ok(1));
        impatient.join().unwrap();
        sender.join().unwrap();
    });
}

#[test]
fn of_two_values_and_two_who_wait_each_gets_one() {
    among_three(2, || {
        let channel = channel(2);
        channel.add_receiver();
        let other = thread::spawn({
            let channel = channel.clone();
            move || recv(&channel).unwrap()
        });
        let sender = thread::spawn({
            let channel = channel.clone();
            move || {
                send(&channel, 1).unwrap();
                send(&channel, 2).unwrap();
            }
        });
        assert_eq!(recv(&channel).unwrap() + other.join().unwrap(), 3);
        sender.join().unwrap();
    });
}

#[test]
fn a_waker_that_replaces_another_is_the_one_that_is_woken() {
    loom::model(|| {
        let channel = channel(1);
        let mut place = Place::default();
        let first = channel.poll_recv(&mut place, Waker::noop());
        assert_eq!(first, Poll::Pending);
        let sender = thread::spawn({
            let channel = channel.clone();
            move || send(&channel, 1).unwrap()
        });
        let result = block_on(poll_fn(|cx: &mut Context<'_>| channel.poll_recv(&mut place, cx.waker())));
        assert_eq!(result, Ok(1));
        sender.join().unwrap();
    });
}

#[test]
fn a_value_sent_while_the_last_receiver_goes_is_dropped_by_one_of_the_two() {
    loom::model(|| {
        let channel = Arc::new(Shared::new(1));
        let value = Arc::new(());
        let sender = thread::spawn({
            let (channel, value) = (channel.clone(), value.clone());
            move || {
                if let Ok(Sent::Stranded) = channel.push(value) {
                    channel.discard();
                }
            }
        });
        channel.remove_receiver();
        sender.join().unwrap();
        assert!(channel.queue().is_empty());
    });
}

#[test]
fn a_oneshot_value_is_received_or_given_back_whoever_goes_first() {
    loom::model(|| {
        let channel = channel(1);
        let sender = thread::spawn({
            let channel = channel.clone();
            move || {
                let kept = match channel.push(7) {
                    Ok(Sent::Delivered) => None,
                    Ok(Sent::Stranded) => channel.queue().pop(),
                    Err(error) => Some(error.into_inner()),
                };
                channel.remove_sender();
                kept
            }
        });
        let received = channel.try_recv();
        channel.remove_receiver();
        let kept = sender.join().unwrap();
        match received {
            Ok(value) => assert_eq!((value, kept), (7, None)),
            Err(TryRecvError::Empty) => assert!(channel.queue().is_empty()),
            Err(TryRecvError::Closed) => panic!("a value in flight was lost"),
        }
    });
}

#[test]
fn a_oneshot_whose_sender_goes_without_a_value_says_so() {
    loom::model(|| {
        let channel = channel(1);
        let sender = thread::spawn({
            let channel = channel.clone();
            move || channel.remove_sender()
        });
        let first = channel.try_recv();
        assert!(first.is_err());
        sender.join().unwrap();
        assert_eq!(channel.try_recv(), Err(TryRecvError::Closed));
    });
}
