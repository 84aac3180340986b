//! Summaries of who calls, of a size that does not grow with the number of callers: how many different users, and which of them most.

use std::fmt;

use datasketches::{
    frequencies::{ErrorType, FrequentItemsSketch},
    hll::{HllSketch, HllType, HllUnion},
};
use sha2::{Digest as _, Sha256};
use tracing::error;

use super::{ApiName, Caller, Step, UserId};

/// 2^14 registers: a standard error of 0.8 %, in 8 KiB.
const PRECISION: u8 = 14;
/// A summary holds three quarters of this many users, in 12 KiB; as long as there are no more, its numbers are exact.
const RANKED: usize = 1_024;
/// How much of its SHA-256 is kept with a summary. The library takes bytes on trust.
const CHECKSUM: usize = 8;
/// The first byte of the form in which they are kept.
const FORM: u8 = 1;

/// What a summary spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SketchSpan {
    /// All time. Only of who was limited: who called is in the ledger.
    Ever,
    /// An hour, kept for 25 hours.
    Hour,
    /// A day, in UTC, kept for 31 days.
    Day,
}

/// Who called and who was limited, of one API and span. Merging is a union: it does not matter in which order, or by whom, calls are added.
///
/// The number of callers is by HyperLogLog (Flajolet et al., `AofA` 2007), who calls most by the Misra-Gries summary of Anderson et al. (IMC 2017), both
/// from Apache `DataSketches`.
#[derive(Clone)]
pub struct Sketches {
    callers: HllSketch,
    calls: FrequentItemsSketch<u64>,
    limited: FrequentItemsSketch<u64>,
}

/// The best of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranking {
    /// Most calls first, ties by lower number. No number is too high.
    pub callers: Vec<Caller>,
    /// By how much each number may be too low, that of whoever is missing (zero) included; zero: all is exact.
    pub error: u64,
}

/// What is kept is no summary.
#[derive(Debug, thiserror::Error)]
#[error("a summary of callers is damaged")]
pub struct DamagedSketches(#[source] Option<datasketches::error::Error>);

impl SketchSpan {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ever, Self::Hour, Self::Day];

    /// In which steps it begins; `None`: it has no beginning.
    pub fn step(self) -> Option<Step> {
        match self {
            Self::Hour => Some(Step::Hour),
            Self::Day => Some(Step::Day),
            Self::Ever => None,
        }
    }

    /// How long it is, in seconds; zero: all time.
    pub fn seconds(self) -> u64 {
        self.step().map_or(0, Step::seconds)
    }

    /// How long after its beginning a summary is kept; `None`: for ever.
    pub fn kept(self) -> Option<std::time::Duration> {
        let days = |days| std::time::Duration::from_secs(days * Step::Day.seconds());
        match self {
            Self::Hour => Some(days(1) + Step::Hour.length()),
            Self::Day => Some(days(31)),
            Self::Ever => None,
        }
    }
}

impl Default for Sketches {
    fn default() -> Self {
        let ranking = || FrequentItemsSketch::new(RANKED).expect("the size is a power of two");
        Self { callers: new_callers(), calls: ranking(), limited: ranking() }
    }
}

fn new_callers() -> HllSketch {
    HllSketch::new(PRECISION, HllType::Hll4).expect("the precision is from 4 to 21")
}

impl Sketches {
    /// Adds calls that were admitted.
    pub fn add_callers(&mut self, callers: &[Caller]) {
        for Caller { user, calls } in callers {
            self.callers.update(user.get());
            self.calls.update_with_count(user.get(), *calls);
        }
    }

    /// Adds calls that were over a limit.
    pub fn add_limited(&mut self, limited: &[Caller]) {
        for Caller { user, calls } in limited {
            self.limited.update_with_count(user.get(), *calls);
        }
    }

    /// What a store keeps of a summary, from what it kept before, once this is added. What was damaged is begun anew: the counts of an
    /// epoch shall not wait for it for ever.
    pub fn grown(&self, kept: &[u8], api: &ApiName) -> Vec<u8> {
        match Self::of_kept(kept, api) {
            Some(kept) => Self::union([&kept, self]).to_bytes(),
            None => self.to_bytes(),
        }
    }

    /// A summary as a store has kept it, unless it is damaged, which the log tells: a window without it is better than none.
    pub fn of_kept(kept: &[u8], api: &ApiName) -> Option<Self> {
        Self::from_bytes(kept).inspect_err(|error| error!(?error, %api, "left out, or begun anew")).ok()
    }

    /// All of them as one.
    pub fn union<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut union = Self::default();
        let mut callers = HllUnion::new(PRECISION).expect("the precision is from 4 to 21");
        for each in all {
            callers.update(&each.callers);
            union.calls.merge(&each.calls);
            union.limited.merge(&each.limited);
        }
        union.callers = callers.to_sketch(HllType::Hll4);
        union
    }

    /// How many different users called, about.
    pub fn distinct(&self) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an estimate of a number of users"
        )]
        let about = self.callers.estimate().round() as u64;
        about
    }

    /// Who called most.
    pub fn top(&self, limit: usize) -> Ranking {
        ranking(&self.calls, limit)
    }

    /// Who was limited most.
    pub fn most_limited(&self, limit: usize) -> Ranking {
        ranking(&self.limited, limit)
    }

    /// The form in which it is kept: its number, a checksum, and three parts with their lengths.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut parts = Vec::new();
        for part in [self.callers.serialize(), self.calls.serialize(), self.limited.serialize()] {
            let length = u32::try_from(part.len()).expect("a summary has some kibibytes");
            parts.extend_from_slice(&length.to_le_bytes());
            parts.extend_from_slice(&part);
        }
        [&[FORM][..], &Sha256::digest(&parts)[..CHECKSUM], &parts].concat()
    }

    /// Takes what [`to_bytes`](Self::to_bytes) gave; nothing at all is an empty summary.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DamagedSketches> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let damaged = || DamagedSketches(None);
        let (checksum, mut rest) = bytes
            .strip_prefix(&[FORM])
            .and_then(|rest| rest.split_at_checked(CHECKSUM))
            .ok_or_else(damaged)?;
        if Sha256::digest(rest)[..CHECKSUM] != *checksum {
            return Err(damaged());
        }
        let mut part = || -> Result<&[u8], DamagedSketches> {
            let (length, others) = rest.split_first_chunk().ok_or_else(damaged)?;
            let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| damaged())?;
            let (part, others) = others.split_at_checked(length).ok_or_else(damaged)?;
            rest = others;
            Ok(part)
        };
        let (callers, calls, limited) = (part()?, part()?, part()?);
        let damaged = |error: datasketches::error::Error| DamagedSketches(Some(error));
        Ok(Self {
            callers: HllSketch::deserialize(callers).map_err(damaged)?,
            calls: FrequentItemsSketch::deserialize(calls).map_err(damaged)?,
            limited: FrequentItemsSketch::deserialize(limited).map_err(damaged)?,
        })
    }
}

fn ranking(of: &FrequentItemsSketch<u64>, limit: usize) -> Ranking {
    let rows = of.frequent_items(ErrorType::NoFalseNegatives);
    let caller = |row: &datasketches::frequencies::Row<u64>| {
        UserId::new(*row.item()).ok().map(|user| Caller { user, calls: row.lower_bound() })
    };
    let mut callers: Vec<_> = rows.iter().filter_map(caller).collect();
    callers.sort_unstable_by(|a, b| b.calls.cmp(&a.calls).then(a.user.cmp(&b.user)));
    callers.truncate(limit);
    Ranking { callers, error: of.maximum_error() }
}

impl fmt::Debug for Sketches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sketches").field("distinct", &self.distinct()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
