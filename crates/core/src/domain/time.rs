//! Points in time, as every tier exchanges them.

use std::{ops::Add, time::Duration};

/// Microseconds since the Unix epoch, on the clock of whoever made it; never compared across clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// Takes microseconds since the Unix epoch.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    pub fn as_micros(self) -> u64 {
        self.0
    }

    /// The same in seconds, as Prometheus has times.
    #[expect(clippy::cast_precision_loss, reason = "to a microsecond until the year 2255")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The same as SQL engines hold it.
    pub fn as_micros_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// How long before `self` the other point lies; zero if it does not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_micros()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_and_subtracts_without_wrapping() {
        let noon = Timestamp::from_micros(1_000_000);
        assert_eq!((noon + Duration::from_secs(2)).since(noon), Duration::from_secs(2));
        assert_eq!(noon.since(noon + Duration::from_secs(2)), Duration::ZERO);
        assert_eq!(Timestamp::from_micros(u64::MAX) + Duration::MAX, Timestamp::from_micros(u64::MAX));
    }
}
