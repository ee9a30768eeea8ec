//! How long a call may wait: for another thread to leave a module, and for what it asks of others.

use core::time::Duration;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience(#[cfg(feature = "std")] Option<std::time::Instant>);

impl Patience {
    pub(crate) const ENDLESS: Self = Self(
        #[cfg(feature = "std")]
        None,
    );

    /// For so long from now; without `std` nobody waits anyway.
    pub(super) fn of(time: Duration) -> Self {
        #[cfg(feature = "std")]
        return Self(std::time::Instant::now().checked_add(time));
        #[cfg(not(feature = "std"))]
        {
            let _ = time;
            Self::ENDLESS
        }
    }

    /// Lets it run out with the other one, if that is sooner: whether it is.
    #[inline]
    pub(crate) fn shorten(&mut self, other: Self) -> bool {
        #[cfg(feature = "std")]
        if let Some(deadline) = other.0
            && self.0.is_none_or(|first| deadline < first)
        {
            *self = other;
            return true;
        }
        let _ = other;
        false
    }

    /// Whether there was an end, and it has come: nothing more is begun then.
    #[inline]
    pub(crate) fn is_late(self) -> bool {
        #[cfg(feature = "std")]
        return self.0.is_some() && self.is_over();
        #[cfg(not(feature = "std"))]
        false
    }

    /// How much of it is left; nothing if it has no end.
    pub(crate) fn left(self) -> Option<Duration> {
        #[cfg(feature = "std")]
        return self.0.map(|deadline| deadline.saturating_duration_since(std::time::Instant::now()));
        #[cfg(not(feature = "std"))]
        None
    }

    /// Whether it has run out.
    pub(super) fn is_over(self) -> bool {
        #[cfg(feature = "std")]
        return self.0.is_some_and(|deadline| std::time::Instant::now() >= deadline);
        #[cfg(not(feature = "std"))]
        true
    }
}

/// Waits a little, and longer each time.
#[cfg(feature = "std")]
pub(super) struct Backoff(u32);

#[cfg(feature = "std")]
impl Backoff {
    const YIELDS: u32 = 200;
    const LONGEST: Duration = Duration::from_micros(500);

    pub(super) fn new() -> Self {
        Self(0)
    }

    pub(super) fn wait(&mut self) {
        self.0 += 1;
        if self.0 < Self::YIELDS {
            return std::thread::yield_now();
        }
        std::thread::sleep(Self::LONGEST.min(Duration::from_micros(u64::from(self.0 - Self::YIELDS) * 10 + 10)));
    }

    /// Whether it has waited long already.
    pub(super) fn is_long(&self) -> bool {
        self.0 > Self::YIELDS
    }
}
