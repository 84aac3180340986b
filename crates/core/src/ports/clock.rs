//! Port: the time of day, the time that passes, and the clocks that give them.

use std::{
    sync::LazyLock,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use crate::domain::Timestamp;

/// Where core and the in-process adapters take the time from. Engines with a clock of their own use that.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Clock: Send + Sync {
    /// The time now; it may step back when the system's clock does.
    fn now(&self) -> Timestamp;

    /// A time that only ever goes on, from a moment of no meaning: for spans that no setting of the system's clock may bend.
    fn steady(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    fn steady(&self) -> Timestamp {
        static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
        let first = *FIRST;
        Timestamp::from_micros(u64::try_from(first.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}

/// A clock that a test sets by hand.
#[cfg(feature = "mock")]
#[derive(Debug)]
pub struct ManualClock {
    now: std::sync::atomic::AtomicU64,
    steady: std::sync::atomic::AtomicU64,
}

#[cfg(feature = "mock")]
mod manual {
    use std::{sync::atomic::Ordering::SeqCst, time::Duration};

    use super::{Clock, ManualClock, SystemClock, Timestamp};

    impl ManualClock {
        /// A clock that stands at the present.
        pub fn new() -> Self {
            Self { now: SystemClock.now().as_micros().into(), steady: 0.into() }
        }

        /// Moves the clock on.
        pub fn advance(&self, span: Duration) {
            self.now.fetch_add(micros(span), SeqCst);
            self.steady.fetch_add(micros(span), SeqCst);
        }

        /// Sets the time of day back, in no time.
        pub fn step_back(&self, span: Duration) {
            self.now.fetch_sub(micros(span), SeqCst);
        }
    }

    impl Default for ManualClock {
        fn default() -> Self {
            Self::new()
        }
    }

    impl Clock for ManualClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.now.load(SeqCst))
        }

        fn steady(&self) -> Timestamp {
            Timestamp::from_micros(self.steady.load(SeqCst))
        }
    }

    fn micros(span: Duration) -> u64 {
        u64::try_from(span.as_micros()).expect("tests move a clock by less than an age")
    }
}
