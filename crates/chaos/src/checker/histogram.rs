//! Times in few numbers: the percentiles of millions of them, each off by 3 % at most.

use crate::history::Micros;

/// Buckets in each doubling.
const STEPS: u32 = 32;

/// How many times fell into each of many buckets.
#[derive(Debug, Clone, Default)]
pub(super) struct Histogram {
    buckets: Vec<u32>,
    count: u64,
}

impl Histogram {
    /// Adds a time.
    pub(super) fn add(&mut self, time: Micros) {
        let bucket = bucket(time);
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, 0);
        }
        self.buckets[bucket] += 1;
        self.count += 1;
    }

    /// Adds all times of another.
    pub(super) fn merge(&mut self, other: &Self) {
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The time that this many of 100 do not exceed; `None` where there are none.
    pub(super) fn percentile(&self, percent: u64) -> Option<Micros> {
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let found = self.buckets.iter().position(|times| {
            seen += u64::from(*times);
            seen >= rank
        });
        found.map(upper_end)
    }
}

/// Small times have buckets of their own; from there on each doubling has [`STEPS`].
fn bucket(time: Micros) -> usize {
    let steps = u64::from(STEPS);
    if time < steps {
        return usize::try_from(time).unwrap_or(0);
    }
    let doublings = time.ilog2() - steps.ilog2();
    let within = (time >> doublings) - steps;
    usize::try_from(u64::from(doublings + 1) * steps + within).unwrap_or(usize::MAX)
}

/// The greatest time of a bucket.
fn upper_end(bucket: usize) -> Micros {
    let (bucket, steps) = (bucket as u64, u64::from(STEPS));
    match bucket / steps {
        0 => bucket,
        doublings => ((steps + bucket % steps + 1) << (doublings - 1)) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_in_the_bucket_that_ends_at_it_or_a_little_later() {
        for time in (0..5_000).chain([123_456, 9_999_999, 1 << 40]) {
            let end = upper_end(bucket(time));
            assert!(end >= time && end - time <= time / 32, "{time} is in the bucket up to {end}");
        }
    }

    #[test]
    fn percentiles_are_those_of_all_that_was_added_and_merged() {
        let (mut odd, mut even) = (Histogram::default(), Histogram::default());
        assert_eq!(odd.percentile(99), None);
        for time in 1..=1000 {
            if time % 2 == 0 { even.add(time) } else { odd.add(time) }
        }
        odd.merge(&even);
        assert_eq!(odd.count(), 1000);
        for (percent, exact) in [(50, 500), (99, 990), (100, 1000)] {
            let found = odd.percentile(percent).unwrap();
            assert!(found.abs_diff(exact) <= exact / 32, "{percent}: {found}");
        }
    }
}
