//! Port: the time of day, and the clocks that give it.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::Timestamp;

/// Where core and the in-process adapters take the time from. Engines with a clock of their own use that.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Clock: Send + Sync {
    /// The time now; it may step back when the system's clock does.
    fn now(&self) -> Timestamp;
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
}

/// A clock that a test sets by hand.
#[cfg(feature = "mock")]
#[derive(Debug)]
pub struct ManualClock(std::sync::atomic::AtomicU64);

#[cfg(feature = "mock")]
mod manual {
    use std::{sync::atomic::Ordering::SeqCst, time::Duration};

    use super::{Clock, ManualClock, SystemClock, Timestamp};

    impl ManualClock {
        /// A clock that stands at the present.
        pub fn new() -> Self {
            Self(SystemClock.now().as_micros().into())
        }

        /// Moves the clock on.
        pub fn advance(&self, span: Duration) {
            self.0.fetch_add(micros(span), SeqCst);
        }

        /// Moves the clock back.
        pub fn step_back(&self, span: Duration) {
            self.0.fetch_sub(micros(span), SeqCst);
        }
    }

    impl Default for ManualClock {
        fn default() -> Self {
            Self::new()
        }
    }

    impl Clock for ManualClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0.load(SeqCst))
        }
    }

    fn micros(span: Duration) -> u64 {
        u64::try_from(span.as_micros()).expect("tests move a clock by less than an age")
    }
}
