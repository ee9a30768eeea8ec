//! The host's own thread: what is polled, the ticks, and what modules have asked of the host.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::time::{Duration, Instant};

use helix_runtime::{Clock, Request, Response, SystemClock, Tick, check_name};

use crate::directory::HOST;

use super::fault::HostFault;
use super::{Shared, locked};

const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// How many events each module hears a second.
#[derive(Debug, Default)]
pub(super) struct Rates {
    since: Option<Instant>,
    calls: BTreeMap<&'static str, usize>,
    pub(super) a_second: BTreeMap<&'static str, u64>,
}

/// What a module has asked for itself or another.
pub(super) struct Ask {
    module: String,
}

/// The number under which the host answers modules.
const NUMBER: u64 = u64::MAX;

impl Shared {
    /// Lets modules ask the host under the name `helix`: `ctx.call::<(&str,), ()>("helix.reload", ("counter",))`.
    ///
    /// What is asked for is done by the host's own thread, once the caller's chain has returned.
    pub(super) fn answer_modules(&self, asks: SyncSender<Ask>) -> Result<(), HostFault> {
        let asks = Mutex::new(asks);
        let answer = move |request: &Request| match request.request_type.as_str() {
            "reload" => match postcard::from_bytes::<(String,)>(&request.payload) {
                Ok((module,)) if !check_name(&module) => Response::err("found no name of a module, expected one"),
                Ok((module,)) => match locked(&asks).try_send(Ask { module }) {
                    Ok(()) => Response::ok_empty(),
                    Err(TrySendError::Full(_)) => Response::rejected("others wait to be reloaded; ask again later"),
                    Err(TrySendError::Disconnected(_)) => Response::rejected("the host is ending"),
                },
                Err(_) => Response::err("found an argument that is none, expected the name of a module"),
            },
            _ => Response::not_supported(),
        };
        Ok(self.runtime.router().register(NUMBER, HOST, Box::new(answer))?)
    }

    /// Does what waits to be done, until the host ends.
    pub(super) fn poll(&self, asked: &Receiver<Ask>) {
        while !self.ended.load(Ordering::Acquire) {
            // A clock, a logger or a configuration of the program's may panic; the next round is another one.
            let round = std::panic::AssertUnwindSafe(|| {
                self.runtime.poll(SystemClock.now());
                self.sample();
            });
            if std::panic::catch_unwind(round).is_err() {
                log::error!(target: "helix", "polling has panicked; it goes on");
            }
            while let Ok(Ask { module }) = asked.try_recv()
                && !self.ended.load(Ordering::Acquire)
            {
                match self.reload(&module, None) {
                    Ok(reloaded) => {
                        log::info!(target: "helix", "{module} has asked to be reloaded: {}", reloaded.summary())
                    }
                    Err(fault) => log::error!(target: "helix", "{module} has asked to be reloaded: {fault}"),
                }
            }
            std::thread::park_timeout(POLL_INTERVAL);
        }
    }

    /// Publishes ticks until the host ends, whatever the other thread does: a module that it makes anew may take its time.
    pub(super) fn tick_on(&self) {
        let mut ticked = 0;
        while let Some(rate) =
            self.configured.first().ticks_a_second.filter(|rate| *rate > 0 && !self.ended.load(Ordering::Acquire))
        {
            self.tick(rate, &mut ticked);
            std::thread::park_timeout(POLL_INTERVAL);
        }
    }

    /// Publishes the ticks that are due; those that are late are one.
    fn tick(&self, rate: u16, ticked: &mut u64) {
        let now = SystemClock.now();
        let due = (now.as_secs_f64() * f64::from(rate)) as u64;
        if due > *ticked {
            *ticked = due;
            let heard = self.runtime.publish(&Tick { timestamp_ns: now.as_nanos() as u64, tick_number: due });
            if let Some((module, error)) = heard.first_error {
                log::debug!(target: module, "tick: {error}");
            }
        }
    }

    /// Takes down once a second how often each module has heard something.
    fn sample(&self) {
        let mut rates = locked(&self.rates);
        let elapsed = rates.since.map_or(Duration::ZERO, |since| since.elapsed());
        if rates.since.is_some() && elapsed < Duration::from_secs(1) {
            return;
        }
        let mut calls: BTreeMap<&'static str, usize> = BTreeMap::new();
        for listener in self.runtime.bus().stats().listeners {
            *calls.entry(listener.name).or_default() += listener.calls;
        }
        if rates.since.is_some() {
            let before = rates.calls.clone();
            let a_second = |(name, calls): (&&'static str, &usize)| {
                let calls = calls.saturating_sub(before.get(name).copied().unwrap_or(0));
                (*name, (calls as f64 / elapsed.as_secs_f64()).round() as u64)
            };
            rates.a_second = calls.iter().map(a_second).collect();
        }
        rates.since = Some(Instant::now());
        rates.calls = calls;
    }
}
