//! Waiting for a channel: whom a send wakes, and what is left of one who gives up.
#![allow(missing_docs)]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use helix_runtime::channel::{Receiver, RecvError, SendError, channel, oneshot};

/// Counts how often it is woken.
#[derive(Default)]
struct Bell(AtomicU32);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Bell {
    fn rung(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

fn bell() -> (Arc<Bell>, Waker) {
    let bell = Arc::<Bell>::default();
    (bell.clone(), bell.into())
}

#[test]
fn a_timed_out_receiver_leaves_nothing_behind() {
    let (tx, rx) = channel(4);
    for _ in 0..10 {
        assert!(rx.recv_timeout(Duration::ZERO).is_err());
    }
    let (bell, waker) = bell();
    let mut next = pin!(rx.recv_async());
    assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    tx.send(1).unwrap();
    assert_eq!(bell.rung(), 1, "the one wake-up goes to the one who waits");
}

#[test]
fn a_send_wakes_one_and_a_dropped_future_passes_its_wake_up_on() {
    let (tx, rx) = channel(4);
    let (first_bell, first_waker) = bell();
    let (second_bell, second_waker) = bell();
    let mut first = Box::pin(rx.recv_async());
    let mut second = Box::pin(rx.recv_async());
    assert!(first.as_mut().poll(&mut Context::from_waker(&first_waker)).is_pending());
    assert!(second.as_mut().poll(&mut Context::from_waker(&second_waker)).is_pending());
    tx.send(1).unwrap();
    assert_eq!((first_bell.rung(), second_bell.rung()), (1, 0));
    drop(first);
    assert_eq!((first_bell.rung(), second_bell.rung()), (1, 1));
    assert_eq!(second.as_mut().poll(&mut Context::from_waker(&second_waker)), Poll::Ready(Ok(1)));
}

#[test]
fn a_dropped_future_takes_no_value_and_keeps_no_waker() {
    let (tx, rx) = channel(4);
    let (bell, waker) = bell();
    let mut next = Box::pin(rx.recv_async());
    assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    assert_eq!(Arc::strong_count(&bell), 3);
    drop(next);
    assert_eq!(Arc::strong_count(&bell), 2);
    tx.send(1).unwrap();
    assert_eq!(bell.rung(), 0);
    assert_eq!(rx.try_recv(), Ok(1));
    let (tx, rx) = oneshot::<u8>();
    let mut answer = Box::pin(rx);
    assert!(answer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(answer);
    assert_eq!(Arc::strong_count(&bell), 2);
    assert_eq!(tx.send(1), Err(SendError::Closed(1)));
}

#[test]
fn the_latest_waker_is_the_one_that_is_woken() {
    let (tx, rx) = channel(4);
    let (old_bell, old) = bell();
    let (new_bell, new) = bell();
    let mut next = pin!(rx.recv_async());
    assert!(next.as_mut().poll(&mut Context::from_waker(&old)).is_pending());
    assert!(next.as_mut().poll(&mut Context::from_waker(&new)).is_pending());
    tx.send(1).unwrap();
    assert_eq!((old_bell.rung(), new_bell.rung()), (0, 1));
}

#[test]
fn the_last_sender_wakes_all_who_wait() {
    let (tx, rx) = channel::<u8>(4);
    let (bell, waker) = bell();
    let mut futures: Vec<_> = (0..3).map(|_| Box::pin(rx.recv_async())).collect();
    for future in &mut futures {
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    drop(tx);
    assert_eq!(bell.rung(), 3);
    for future in &mut futures {
        assert_eq!(future.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(Err(RecvError)));
    }
}

#[test]
fn a_waker_may_use_the_channel() {
    struct Echo(Receiver<u32>, AtomicU32);
    impl Wake for Echo {
        fn wake(self: Arc<Self>) {
            let mut again = pin!(self.0.recv_async());
            if let Poll::Ready(Ok(value)) = again.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                self.1.store(value, Ordering::Relaxed);
            }
        }
    }
    let (tx, rx) = channel(4);
    let echo = Arc::new(Echo(rx.clone(), AtomicU32::new(0)));
    let waker = Waker::from(echo.clone());
    let mut next = Box::pin(rx.recv_async());
    assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    tx.send(7).unwrap();
    assert_eq!(echo.1.load(Ordering::Relaxed), 7);
    assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
}

#[test]
fn a_oneshot_wakes_its_task_for_a_value_and_for_a_sender_that_goes() {
    for value in [Some(1), None] {
        let (bell, waker) = bell();
        let (tx, rx) = oneshot();
        let mut answer = pin!(rx);
        assert!(answer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        match value {
            Some(value) => tx.send(value).unwrap(),
            None => drop(tx),
        }
        assert_eq!(bell.rung(), 1);
        let expected = value.ok_or(RecvError);
        assert_eq!(answer.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(expected));
    }
}
