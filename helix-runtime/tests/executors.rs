//! Waiting for a channel in a task: in tokio, in embassy's executor, and with tasks that give up all the time.
#![allow(missing_docs)]

use std::time::Duration;

use helix_runtime::channel::{RecvError, channel, oneshot};

const MANY: u64 = if cfg!(miri) { 50 } else { 20_000 };

fn tokio() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
}

#[test]
fn tokio_tasks_receive_all_that_threads_send() {
    let (tx, rx) = channel::<u64>(32);
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let tx = tx.clone();
            std::thread::spawn(move || {
                for number in 1..=MANY {
                    while tx.send(number).is_err() {
                        std::thread::yield_now();
                    }
                }
            })
        })
        .collect();
    drop(tx);
    let sum: u64 = tokio().block_on(async {
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let rx = rx.clone();
                tokio::spawn(async move {
                    let mut sum = 0;
                    while let Ok(number) = rx.recv_async().await {
                        sum += number;
                    }
                    sum
                })
            })
            .collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap();
        }
        sum
    });
    assert_eq!(sum, MANY * (MANY + 1));
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_task_that_gives_up_all_the_time_loses_no_value() {
    let (tx, rx) = channel::<u64>(32);
    let sending = std::thread::spawn(move || {
        for number in 1..=MANY {
            while tx.send(number).is_err() {
                std::thread::yield_now();
            }
        }
    });
    let sum = tokio().block_on(async {
        let impatient = {
            let rx = rx.clone();
            tokio::spawn(async move {
                let mut sum = 0;
                loop {
                    tokio::select! {
                        biased;
                        received = rx.recv_async() => match received {
                            Ok(number) => sum += number,
                            Err(RecvError) => return sum,
                        },
                        () = tokio::task::yield_now() => {}
                    }
                }
            })
        };
        let mut sum = 0;
        while let Ok(number) = rx.recv_async().await {
            sum += number;
        }
        sum + impatient.await.unwrap()
    });
    assert_eq!(sum, MANY * (MANY + 1) / 2);
    sending.join().unwrap();
}

#[test]
fn a_deadline_of_the_executors_own_ends_the_waiting() {
    let (tx, rx) = channel::<u8>(1);
    tokio().block_on(async {
        assert!(tokio::time::timeout(Duration::from_millis(2), rx.recv_async()).await.is_err());
        tx.send(1).unwrap();
        assert_eq!(rx.recv_async().await, Ok(1));
    });
}

#[test]
fn a_task_awaits_the_answer_to_what_it_asked() {
    tokio().block_on(async {
        let (ask, asked) = channel(8);
        let answering = tokio::spawn(async move {
            while let Ok((number, answer)) = asked.recv_async().await {
                let answer: helix_runtime::channel::OneshotSender<u64> = answer;
                answer.send(number * 2).unwrap();
            }
        });
        for number in 0..100 {
            let (answer, answered) = oneshot();
            ask.send((number, answer)).unwrap();
            assert_eq!(answered.await, Ok(number * 2));
        }
        drop(ask);
        answering.await.unwrap();
    });
}

#[cfg(not(miri))]
mod embassy {
    use std::cell::Cell;
    use std::rc::Rc;

    use embassy_executor::Executor;
    use embassy_executor::raw::TaskStorage;

    use helix_runtime::channel::SendError;

    use super::*;

    fn task<F: Future + 'static>(spawner: embassy_executor::Spawner, future: F) {
        let storage: &'static TaskStorage<F> = Box::leak(Box::new(TaskStorage::new()));
        let Ok(token) = storage.spawn(|| future) else { panic!("a storage of its own is free") };
        spawner.spawn(token);
    }

    #[test]
    fn embassy_tasks_receive_what_another_task_and_a_thread_send() {
        let (tx, rx) = channel::<u64>(32);
        let (done, finished) = oneshot();
        let (sum, own) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let sending = std::thread::spawn({
            let tx = tx.clone();
            move || {
                for number in 1..=MANY {
                    while tx.send(number).is_err() {
                        std::thread::yield_now();
                    }
                }
            }
        });
        let executor: &'static mut Executor = Box::leak(Box::new(Executor::new()));
        let (received, sent) = (sum.clone(), own.clone());
        executor.run_until(
            |spawner| {
                task(spawner, async move {
                    // From within the executor: no other thread's wake-up comes to its help.
                    for number in 1..=8 {
                        match tx.send(number) {
                            Ok(()) => sent.set(sent.get() + number),
                            Err(SendError::Full(_)) => {}
                            Err(SendError::Closed(_)) => panic!("the other task still receives"),
                        }
                    }
                });
                task(spawner, async move {
                    while let Ok(number) = rx.recv_async().await {
                        received.set(received.get() + number);
                    }
                    done.send(()).unwrap();
                });
            },
            move || finished.try_recv().is_ok(),
        );
        sending.join().unwrap();
        assert_eq!(sum.get(), MANY * (MANY + 1) / 2 + own.get());
    }
}
