//! What went over the links of one module: calls, errors, how long they took, bytes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How many powers of two of microseconds are told apart: from one to some nine minutes.
const BUCKETS: usize = 30;

/// Counts over all processes of a module.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    conversations: AtomicU64,
    failures: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    /// How many took less than 2^n microseconds, and not less than half of that.
    times: [AtomicU64; BUCKETS],
}

/// What went over the links of one module, as `helix stats` shows it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkView {
    /// The module.
    pub module: String,
    /// How often something was wanted of it: a call, an event, a batch of events, a step of its life.
    pub conversations: u64,
    /// How often that ended with its process.
    pub failures: u64,
    /// How many bytes were sent to it.
    pub sent: u64,
    /// How many bytes came from it.
    pub received: u64,
    /// How many took less than so many microseconds, and not less than half of that.
    pub times: Vec<(u64, u64)>,
    /// How many events wait for it.
    pub waiting: u64,
    /// How often it was started again.
    pub restarts: u32,
    /// How much memory it has of its own, in bytes, where that is known.
    pub memory: Option<u64>,
}

impl Meter {
    pub(super) fn converse(&self, took: Duration, failed: bool) {
        self.conversations.fetch_add(1, Ordering::Relaxed);
        self.failures.fetch_add(u64::from(failed), Ordering::Relaxed);
        let bucket = (u64::BITS - (took.as_micros() as u64).leading_zeros()) as usize;
        self.times[bucket.min(BUCKETS - 1)].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn send(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn receive(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn view(&self, module: &str) -> LinkView {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let times = self.times.iter().enumerate().map(|(bucket, count)| (1_u64 << bucket, read(count)));
        LinkView {
            module: module.into(),
            conversations: read(&self.conversations),
            failures: read(&self.failures),
            sent: read(&self.sent),
            received: read(&self.received),
            times: times.filter(|(_, count)| *count > 0).collect(),
            ..LinkView::default()
        }
    }
}

impl LinkView {
    /// How long so many of a hundred took at most, in microseconds, as far as the powers of two tell.
    ///
    /// ```
    /// use helix_host::LinkView;
    /// let link = LinkView { times: vec![(8, 90), (1024, 10)], ..LinkView::default() };
    /// assert_eq!((link.percentile(50), link.percentile(99)), (Some(8), Some(1024)));
    /// ```
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let all: u64 = self.times.iter().map(|(_, count)| count).sum();
        let mut seen = 0;
        let reaches = |(_, count): &&(u64, u64)| {
            seen += count;
            seen * 100 >= all * percent
        };
        self.times.iter().find(reaches).map(|(time, _)| *time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_in_the_bucket_above_it() {
        let meter = Meter::default();
        for micros in [0, 1, 2, 3, 5, 1000, u64::MAX] {
            meter.converse(Duration::from_micros(micros), micros == 5);
        }
        let view = meter.view("m");
        assert_eq!(view.times, [(1, 1), (2, 1), (4, 2), (8, 1), (1024, 1), (1 << 29, 1)]);
        assert_eq!((view.conversations, view.failures), (7, 1));
        assert_eq!(LinkView::default().percentile(50), None);
    }
}
