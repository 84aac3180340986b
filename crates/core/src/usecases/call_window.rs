//! The windows of time that calls are told of.

use std::time::Duration;

use crate::domain::{SketchSpan, Step, Timestamp};

/// A window that ends now. It begins with the minute, hour or day in which the time of its name began, in UTC: it is no shorter than that, and longer by less
/// than a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallWindow {
    /// Since midnight.
    Today,
    /// 24 hours.
    Hours24,
    /// Seven days.
    Days7,
    /// 30 days.
    Days30,
    /// All time; of outcomes, 400 days.
    AllTime,
}

impl CallWindow {
    /// All of them, the shortest first.
    pub const ALL: [Self; 5] = [Self::Today, Self::Hours24, Self::Days7, Self::Days30, Self::AllTime];

    /// What it is called: `today`, `24h`, `7d`, `30d`, `all`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Today => "today",
            Self::Hours24 => "24h",
            Self::Days7 => "7d",
            Self::Days30 => "30d",
            Self::AllTime => "all",
        }
    }

    /// When it begins, made of such steps; of all time, that is when the days that are kept began.
    pub fn start(self, step: Step, now: Timestamp) -> Timestamp {
        let days = match self {
            Self::Today => return Step::Day.start(now),
            Self::Hours24 => 1,
            Self::Days7 => 7,
            Self::Days30 => 30,
            Self::AllTime => 400,
        };
        step.start(now.before(Step::Day.length() * days))
    }

    /// Whether it begins at some moment.
    pub fn has_start(self) -> bool {
        self != Self::AllTime
    }

    /// The summaries that make it up.
    pub(super) fn span(self) -> SketchSpan {
        match self {
            Self::Today | Self::Hours24 => SketchSpan::Hour,
            Self::Days7 | Self::Days30 => SketchSpan::Day,
            Self::AllTime => SketchSpan::Ever,
        }
    }

    /// The shortest steps that are kept for as long as it is.
    pub fn finest_step(self) -> Step {
        match self {
            Self::Today | Self::Hours24 => Step::Minute,
            Self::Days7 | Self::Days30 => Step::Hour,
            Self::AllTime => Step::Day,
        }
    }
}

impl Step {
    /// The beginnings of all from the one that a moment is in to the one that another is in, earliest first.
    pub(super) fn starts_through(self, first: Timestamp, last: Timestamp) -> impl Iterator<Item = Timestamp> {
        let next = move |start: &Timestamp| Some(*start + self.length());
        std::iter::successors(Some(self.start(first)), next).take_while(move |start| *start <= last)
    }
}

impl Timestamp {
    /// This much earlier, at the Unix epoch at the earliest.
    fn before(self, span: Duration) -> Self {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        Self::from_micros(self.as_micros().saturating_sub(micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_with_a_step_and_are_kept_for_as_long() {
        const MINUTE: u64 = 60_000_000;
        const DAY: u64 = 24 * 60;
        let now = Timestamp::from_micros((DAY * 1_000 + 5 * 60 + 7) * MINUTE + 1_234);
        let starts = |step| CallWindow::ALL.map(|window| window.start(step, now).as_micros() / MINUTE);
        let back = |minutes: u64, days: [u64; 4]| {
            let [one, seven, thirty, all] = days.map(|days| DAY * (1_000 - days) + minutes);
            [DAY * 1_000, one, seven, thirty, all]
        };
        assert_eq!(starts(Step::Minute), back(5 * 60 + 7, [1, 7, 30, 400]));
        assert_eq!(starts(Step::Hour), back(5 * 60, [1, 7, 30, 400]));
        assert_eq!(starts(Step::Day), back(0, [1, 7, 30, 400]));
        for window in CallWindow::ALL {
            let (step, span) = (window.finest_step(), window.span());
            assert!(now.since(window.start(step, now)) <= step.kept(), "{window:?}");
            let Some(step) = span.step() else { continue };
            let back = now.since(window.start(step, now));
            assert!(span.kept().is_none_or(|kept| back <= kept), "{window:?}");
        }
        assert_eq!(CallWindow::AllTime.start(Step::Day, Timestamp::default()), Timestamp::default());
    }

    #[test]
    fn steps_are_all_those_that_have_begun() {
        let minute = |number: u64| Timestamp::from_micros(number * 60_000_000);
        let starts: Vec<_> = Step::Minute.starts_through(minute(3), minute(5)).collect();
        assert_eq!(starts, [3, 4, 5].map(minute));
        assert_eq!(Step::Hour.starts_through(minute(61), minute(60)).collect::<Vec<_>>(), [minute(60)]);
        assert_eq!(Step::Hour.starts_through(minute(120), minute(119)).count(), 0);
    }
}
