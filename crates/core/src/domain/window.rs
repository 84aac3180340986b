//! Windows: how many units within how long.

use std::time::Duration;

use super::PolicyError;

/// The largest quota at all.
pub const MAX_QUOTA: u32 = 1_000_000_000;
/// The longest period of a window.
pub const MAX_PERIOD: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// How many units a window admits: 1 to [`MAX_QUOTA`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quota(u32);

impl Quota {
    /// Takes a number that came from outside.
    pub fn new(units: u32) -> Result<Self, PolicyError> {
        if (1..=MAX_QUOTA).contains(&units) { Ok(Self(units)) } else { Err(PolicyError::Quota(units)) }
    }

    /// The number of units.
    pub fn get(self) -> u32 {
        self.0
    }
}

/// At most `quota` admitted units in any half-open interval `(t − period, t]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    quota: Quota,
    period: Duration,
}

impl Window {
    /// Takes a period of 1 ms to [`MAX_PERIOD`], in whole microseconds.
    pub fn new(quota: Quota, period: Duration) -> Result<Self, PolicyError> {
        let whole = period.subsec_nanos().is_multiple_of(1_000);
        if !whole || period < Duration::from_millis(1) || period > MAX_PERIOD {
            return Err(PolicyError::Period(period));
        }
        Ok(Self { quota, period })
    }

    /// How many units it admits.
    pub fn quota(&self) -> u32 {
        self.quota.get()
    }

    /// Over how long.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// The period in microseconds.
    pub fn period_micros(&self) -> u64 {
        u64::try_from(self.period.as_micros()).expect("`new` refused periods over MAX_PERIOD")
    }

    /// The same quota over a period so many times as long, up to [`MAX_PERIOD`].
    #[must_use]
    pub fn stretched(&self, times: u32) -> Self {
        let period =
            self.period.checked_mul(times.max(1)).map_or(MAX_PERIOD, |period| period.min(MAX_PERIOD));
        Self { quota: self.quota, period }
    }

    /// What it is called where nobody has named it: its period, in the largest whole unit, as `5s`, `1m` or `1d`.
    pub fn default_name(&self) -> String {
        const UNITS: [(u64, &str); 5] =
            [(86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s"), (1_000, "ms")];
        let micros = self.period_micros();
        match UNITS.into_iter().find(|(unit, _)| micros.is_multiple_of(*unit)) {
            Some((unit, name)) => format!("{}{name}", micros / unit),
            None => format!("{micros}us"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_could_not_be_kept() {
        assert_eq!(Quota::new(0), Err(PolicyError::Quota(0)));
        assert_eq!(Quota::new(MAX_QUOTA + 1), Err(PolicyError::Quota(MAX_QUOTA + 1)));
        for period in [Duration::ZERO, Duration::from_nanos(1_000_001), MAX_PERIOD + Duration::from_secs(1)] {
            assert_eq!(Window::new(Quota(1), period), Err(PolicyError::Period(period)));
        }
    }

    #[test]
    fn is_called_by_its_period_and_stretched_up_to_the_longest() {
        let named = |micros| Window::new(Quota(1), Duration::from_micros(micros)).unwrap().default_name();
        let found = [5_000_000, 60_000_000, 90_000_000, 172_800_000_000, 1_500_000, 1_001].map(named);
        assert_eq!(found, ["5s", "1m", "90s", "2d", "1500ms", "1001us"]);
        let window = Window::new(Quota(3), Duration::from_secs(5)).unwrap();
        assert_eq!(window.stretched(3), Window::new(Quota(3), Duration::from_secs(15)).unwrap());
        assert_eq!(window.stretched(u32::MAX).period(), MAX_PERIOD);
        assert_eq!(window.stretched(0), window);
    }
}
