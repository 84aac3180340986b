//! The steps in which calls are told over time: minutes, hours and days, in UTC.

use std::time::Duration;

use super::Timestamp;

/// A length of time that begins at whole multiples of itself since the Unix epoch, which is how UTC counts minutes, hours and days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Step {
    Minute,
    Hour,
    Day,
}

const DAY: u64 = 86_400;

impl Step {
    /// All of them, the shortest first.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// How long one is, in seconds.
    pub fn seconds(self) -> u64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => DAY,
        }
    }

    /// How long one is.
    pub fn length(self) -> Duration {
        Duration::from_secs(self.seconds())
    }

    /// How long after its beginning the numbers of one are kept: minutes that ended within 24 hours, hours within 30 days, days within 400 days.
    pub fn kept(self) -> Duration {
        let days = match self {
            Self::Minute => 1,
            Self::Hour => 30,
            Self::Day => 400,
        };
        Duration::from_secs(days * DAY) + self.length()
    }

    /// When the one began that this moment is in.
    pub fn start(self, at: Timestamp) -> Timestamp {
        let micros = self.seconds() * 1_000_000;
        Timestamp::from_micros(at.as_micros() / micros * micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_begins_at_a_whole_one() {
        let at = Timestamp::from_micros((3 * 86_400 + 2 * 3_600 + 59 * 60 + 7) * 1_000_000 + 9);
        let starts = Step::ALL.map(|step| step.start(at).as_micros() / 1_000_000);
        assert_eq!(starts, [3 * 86_400 + 2 * 3_600 + 59 * 60, 3 * 86_400 + 2 * 3_600, 3 * 86_400]);
        assert_eq!(Step::ALL.map(|step| step.start(step.start(at))), Step::ALL.map(|step| step.start(at)));
    }
}
