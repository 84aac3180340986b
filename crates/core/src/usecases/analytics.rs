//! Use case: what became of calls over time, who called most and who was limited most.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    CallCounts, CallWindow,
    readings::{Reading, Readings},
};
use crate::{
    StoreError,
    domain::{ApiName, Outcomes, Ranking, SketchSpan, Sketches, Step, Timestamp},
    ports::{CallHistory, Clock},
};

/// By what callers are ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RankedBy {
    /// Calls that were admitted.
    Calls,
    /// Calls that were over a limit.
    Limited,
}

/// What is told of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windowed<T> {
    /// When the window began; all time has no beginning.
    pub from: Option<Timestamp>,
    /// What is told.
    pub reading: Reading<T>,
}

/// Each step's beginning and outcomes, earliest first, none left out from the first on.
pub type Series = Vec<(Timestamp, Outcomes)>;

/// How many different users called.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distinct {
    /// About how many.
    pub callers: u64,
    /// The standard error of that, as a part of it.
    pub standard_error: f64,
}

/// Of the summaries of 2^14 registers, 1.04 / √2^14 (Flajolet et al., `AofA` 2007). That of the live tier is no larger.
const STANDARD_ERROR: f64 = 1.04 / 128.0;

/// Later than any call.
const END: Timestamp = Timestamp::from_micros(u64::MAX);

/// Before what is told ends: a process whose clock is ahead shall not put its calls into every window until that time has come.
fn after(now: Timestamp) -> Timestamp {
    now + Step::Minute.length()
}

/// What is told of calls, by API and window.
pub struct Analytics {
    counts: Arc<CallCounts>,
    history: Arc<dyn CallHistory>,
    clock: Arc<dyn Clock>,
    apis: Readings<(), Arc<[ApiName]>>,
    summaries: Readings<(ApiName, SketchSpan, Timestamp), Arc<Sketches>>,
    series: Readings<(ApiName, Step, Timestamp), Arc<KnownSeries>>,
}

/// What was read of a series.
struct KnownSeries {
    /// When: of later steps nothing is known.
    at: Timestamp,
    points: BTreeMap<Timestamp, Outcomes>,
}

impl Analytics {
    /// Over the counts of all time, and the history of calls.
    pub fn new(counts: Arc<CallCounts>, history: Arc<dyn CallHistory>, clock: Arc<dyn Clock>) -> Self {
        let (apis, summaries, series) =
            (Readings::new(clock.clone()), Readings::new(clock.clone()), Readings::new(clock.clone()));
        Self { counts, history, clock, apis, summaries, series }
    }

    /// The counts of all time.
    pub fn counts(&self) -> &CallCounts {
        &self.counts
    }

    /// Whether a policy counts under this name, or it was called within 400 days: one that is not known is most likely a slip of the pen, and shall not
    /// take a place in what is remembered.
    ///
    /// # Errors
    /// The durable tier failed, and it is not known from before; never for what a policy counts under.
    pub async fn knows(&self, api: &ApiName) -> Result<bool, StoreError> {
        Ok(self.counts.is_known(api) || self.called().await?.contains(api))
    }

    /// The APIs that policies count under and those that were called within 400 days, in the order of their names. Where the durable tier fails and they are not
    /// known from before, those of the policies alone.
    pub async fn apis(&self) -> BTreeSet<ApiName> {
        let called = self.called().await.unwrap_or_default();
        self.counts.apis().into_iter().chain(called.iter().cloned()).collect()
    }

    async fn called(&self) -> Result<Arc<[ApiName]>, StoreError> {
        let read = async { Ok(self.history.apis().await?.into()) };
        Ok(self.apis.read_or_last(&(), read).await?.value)
    }

    /// Who called, or was limited, most within a window: most first, ties by lower number.
    ///
    /// # Errors
    /// The durable tier failed and it is not known from before; of the calls of all time, both tiers failed.
    pub async fn top(
        &self,
        api: &ApiName,
        window: CallWindow,
        by: RankedBy,
        limit: usize,
    ) -> Result<Windowed<Ranking>, StoreError> {
        if (window, by) == (CallWindow::AllTime, RankedBy::Calls) {
            let Reading { value: callers, stale } = self.counts.top(api, limit).await?;
            let value = Ranking { callers, error: 0 };
            return Ok(Windowed { from: None, reading: Reading { value, stale } });
        }
        let Windowed { from, reading } = self.summary(api, window).await?;
        let value = match by {
            RankedBy::Calls => reading.value.top(limit),
            RankedBy::Limited => reading.value.most_limited(limit),
        };
        Ok(Windowed { from, reading: Reading { value, stale: reading.stale } })
    }

    /// How many different users called within a window.
    ///
    /// # Errors
    /// As [`top`](Self::top) of calls.
    pub async fn distinct(
        &self,
        api: &ApiName,
        window: CallWindow,
    ) -> Result<Windowed<Distinct>, StoreError> {
        let (from, Reading { value: callers, stale }) = if window == CallWindow::AllTime {
            (None, self.counts.distinct(api).await?)
        } else {
            let Windowed { from, reading } = self.summary(api, window).await?;
            (from, Reading { value: reading.value.distinct(), stale: reading.stale })
        };
        let value = Distinct { callers, standard_error: STANDARD_ERROR };
        Ok(Windowed { from, reading: Reading { value, stale } })
    }

    /// What became of calls within a window, step by step, to the last step that was read. Steps that are not kept for as long as the window is are
    /// asked for in vain: see [`CallWindow::finest_step`].
    ///
    /// # Errors
    /// The durable tier failed, and it is not known from before.
    pub async fn series(
        &self,
        api: &ApiName,
        window: CallWindow,
        step: Step,
    ) -> Result<Windowed<Series>, StoreError> {
        let from = window.start(step, self.clock.now());
        let read = async {
            let at = self.clock.now();
            let points = self.history.series(api, step, from, after(at)).await?.into_iter().collect();
            Ok(Arc::new(KnownSeries { at, points }))
        };
        let Reading { value: known, stale } =
            self.series.read_or_last(&(api.clone(), step, from), read).await?;
        // Of all time, from the first call on; where there is none, there is nothing to tell.
        let first = match (window, known.points.first_key_value()) {
            (CallWindow::AllTime, first) => first.map_or(END, |(start, _)| *start),
            _ => from,
        };
        let point = |start| (start, known.points.get(&start).copied().unwrap_or_default());
        let value = step.starts_through(first, known.at).map(point).collect();
        let from = window.has_start().then_some(from);
        Ok(Windowed { from, reading: Reading { value, stale } })
    }

    async fn summary(
        &self,
        api: &ApiName,
        window: CallWindow,
    ) -> Result<Windowed<Arc<Sketches>>, StoreError> {
        let (span, now) = (window.span(), self.clock.now());
        let from = span.step().map(|step| window.start(step, now));
        let start = from.unwrap_or_default();
        let read = async {
            let parts = self.history.sketches(api, span, start, after(now)).await?;
            let united = tokio::task::spawn_blocking(move || Arc::new(Sketches::union(&parts))).await;
            united.map_err(|panic| StoreError::permanent("unite summaries", panic))
        };
        let reading = self.summaries.read_or_last(&(api.clone(), span, start), read).await?;
        Ok(Windowed { from, reading })
    }
}

#[cfg(test)]
mod tests;
