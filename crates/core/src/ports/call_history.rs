//! Port: what became of calls, by time (durable tier).

use async_trait::async_trait;

use crate::{
    StoreError,
    domain::{ApiName, Outcomes, SketchSpan, Sketches, Step, Timestamp},
};

/// What the [`CallLedger`](super::CallLedger) has added of the [activity](crate::domain::Activity) of epochs, each of them once: the outcomes by
/// minute, hour and day, and summaries of who called and who was limited, by hour, day and for all time. Its size is bounded by the number of APIs.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait CallHistory: Send + Sync {
    /// The outcomes in a span of time, earliest first; steps without a call may be left out.
    ///
    /// # Parameters
    /// - `api`: what was called.
    /// - `step`: minutes, hours or days.
    /// - `from`, `until`: from which beginning on, and before which.
    ///
    /// # Errors
    /// The store failed.
    async fn series(
        &self,
        api: &ApiName,
        step: Step,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(Timestamp, Outcomes)>, StoreError>;

    /// The summaries of a span of time, in any order.
    ///
    /// # Parameters
    /// - `api`: what was called.
    /// - `span`: those of hours, of days, or the one of all time.
    /// - `from`, `until`: from which beginning on, and before which; that of all time begins at zero.
    ///
    /// # Errors
    /// The store failed.
    async fn sketches(
        &self,
        api: &ApiName,
        span: SketchSpan,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Sketches>, StoreError>;

    /// The APIs that have a day in it, in the order of their names.
    ///
    /// # Errors
    /// The store failed.
    async fn apis(&self) -> Result<Vec<ApiName>, StoreError>;

    /// Forgets what has been kept for as long as it is to be ([`Step::kept`], [`SketchSpan::kept`]). Whichever clock is behind decides,
    /// that of the caller or that of the store: neither shall forget too much where it is wrong.
    ///
    /// # Parameters
    /// - `now`: the time by the caller's clock.
    ///
    /// # Errors
    /// The store failed; some may be forgotten.
    async fn prune(&self, now: Timestamp) -> Result<(), StoreError>;
}
