//! What became of the calls of an epoch, as stores keep it.

use std::collections::BTreeMap;

use super::{Activity, ApiName, Outcomes, SketchSpan, Sketches, Step, Timestamp};

/// A row of numbers: of one API, in one minute, hour or day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// What was called.
    pub api: ApiName,
    /// Minute, hour or day.
    pub step: Step,
    /// When it began.
    pub start: Timestamp,
}

/// Which summary it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SketchKey {
    /// Of the calls to what.
    pub api: ApiName,
    /// What it spans.
    pub span: SketchSpan,
    /// When that began; zero for all time.
    pub start: Timestamp,
}

/// The rows that an epoch adds to, each once, in the order in which every process locks them. With many callers it is work: for a thread
/// that may be blocked, and before any transaction.
#[derive(Debug, Clone, Default)]
pub struct Digest {
    /// How many calls had which outcome.
    pub series: BTreeMap<SeriesKey, Outcomes>,
    /// Who called, and who was limited.
    pub summaries: BTreeMap<SketchKey, Sketches>,
}

impl Digest {
    /// Of what an epoch has counted.
    pub fn of(activity: &[Activity]) -> Self {
        let mut digest = Self::default();
        for each in activity {
            digest.add(each);
        }
        digest
    }

    fn add(&mut self, activity: &Activity) {
        for (minute, outcomes) in &activity.minutes {
            for step in Step::ALL {
                let key = SeriesKey { api: activity.api.clone(), step, start: step.start(*minute) };
                *self.series.entry(key).or_default() += *outcomes;
            }
        }
        for span in SketchSpan::ALL {
            let nobody =
                activity.limited.is_empty() && (span == SketchSpan::Ever || activity.callers.is_empty());
            if nobody {
                continue;
            }
            let start = span.step().map_or(Timestamp::default(), |step| step.start(activity.hour));
            let key = SketchKey { api: activity.api.clone(), span, start };
            let summary = self.summaries.entry(key).or_default();
            summary.add_limited(&activity.limited);
            if span != SketchSpan::Ever {
                summary.add_callers(&activity.callers);
            }
        }
    }

    /// Of several epochs, as if they were one.
    pub fn all_of<'a>(digests: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut all = Self::default();
        for Self { series, summaries } in digests {
            for (key, outcomes) in series {
                *all.series.entry(key.clone()).or_default() += *outcomes;
            }
            for (key, summary) in summaries {
                let known = all.summaries.entry(key.clone()).or_default();
                *known = Sketches::union([&*known, summary]);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Caller, UserId};

    fn minute(number: u64) -> Timestamp {
        Timestamp::from_micros(number * 60_000_000)
    }

    fn hour(hour: u64, minutes: &[u64]) -> Activity {
        let admitted =
            |number: &u64| (minute(60 * hour + number), Outcomes { admitted: 1, ..Outcomes::default() });
        let caller = |user| Caller { user: UserId::new(user).unwrap(), calls: 1 };
        Activity {
            api: ApiName::new("ping").unwrap(),
            hour: minute(60 * hour),
            minutes: minutes.iter().map(admitted).collect(),
            callers: vec![caller(hour + 1)],
            limited: if hour == 24 { vec![caller(1)] } else { vec![] },
        }
    }

    #[test]
    fn calls_add_up_by_minute_hour_and_day_also_of_several_epochs() {
        let (first, second) = (hour(23, &[58, 59]), hour(24, &[0]));
        let whole = Digest::of(&[first.clone(), second.clone(), second.clone()]);
        let parts = [&[first, second.clone()][..], &[second]].map(Digest::of);
        for digest in [whole, Digest::all_of(&parts)] {
            let told = |(key, outcomes): (&SeriesKey, &Outcomes)| (key.step, key.start, outcomes.admitted);
            let expected = [
                (Step::Minute, minute(23 * 60 + 58), 1),
                (Step::Minute, minute(23 * 60 + 59), 1),
                (Step::Minute, minute(24 * 60), 2),
                (Step::Hour, minute(23 * 60), 2),
                (Step::Hour, minute(24 * 60), 2),
                (Step::Day, minute(0), 2),
                (Step::Day, minute(24 * 60), 2),
            ];
            assert_eq!(digest.series.iter().map(told).collect::<Vec<_>>(), expected);
            let told = |(key, summary): (&SketchKey, &Sketches)| {
                let most = |ranking: super::super::Ranking| ranking.callers.first().map(|best| best.calls);
                (key.span, key.start, most(summary.top(1)), most(summary.most_limited(1)))
            };
            let expected = [
                (SketchSpan::Ever, minute(0), None, Some(2)),
                (SketchSpan::Hour, minute(23 * 60), Some(1), None),
                (SketchSpan::Hour, minute(24 * 60), Some(2), Some(2)),
                (SketchSpan::Day, minute(0), Some(1), None),
                (SketchSpan::Day, minute(24 * 60), Some(2), Some(2)),
            ];
            assert_eq!(digest.summaries.iter().map(told).collect::<Vec<_>>(), expected);
        }
    }
}
