//! The one place of the run that reads a clock.

use std::time::{Duration, Instant, SystemTime};

use crate::history::Micros;

/// The time since a stage began. Copies go by the same beginning.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    begun: Instant,
    /// The same moment as a time of day, in microseconds since 1970, for lines in logs.
    day: i64,
}

impl Clock {
    /// Begins now.
    #[expect(clippy::disallowed_methods, reason = "what real processes do takes real time")]
    pub(super) fn start() -> Self {
        let (begun, day) = (Instant::now(), SystemTime::now());
        let day = day.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { begun, day: i64::try_from(day.as_micros()).unwrap_or(i64::MAX) }
    }

    /// How long ago it began.
    pub(super) fn now(self) -> Micros {
        micros(self.begun.elapsed())
    }

    /// When it was this time of day, as logs write it; `None` where that is no time.
    pub(super) fn of(self, text: &str) -> Option<Micros> {
        let day: jiff::Timestamp = text.parse().ok()?;
        Some(u64::try_from(day.as_microsecond() - self.day).unwrap_or(0))
    }
}

/// A duration in whole microseconds.
pub(super) fn micros(duration: Duration) -> Micros {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
