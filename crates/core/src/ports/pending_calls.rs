//! Port: the admitted calls that are not in the ledger yet, as a live tier keeps them that outlives its callers (live tier).

use std::time::Duration;

use async_trait::async_trait;

use crate::{
    StoreError,
    domain::{EpochId, Incarnation, Tally},
};

/// The second copy of the epochs that are in no ledger yet: what [`OneTrip`](super::OneTrip) and [`CallTracker`](super::CallTracker)
/// note of each call that they count, in the step that counts it, under the epoch that it came with.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PendingCalls: Send + Sync {
    /// Says that an incarnation lives.
    ///
    /// # Parameters
    /// - `incarnation`: who.
    /// - `ttl`: for how long this shall be believed.
    ///
    /// # Errors
    /// The engine failed.
    async fn beat(&self, incarnation: Incarnation, ttl: Duration) -> Result<(), StoreError>;

    /// Whether an incarnation has said so, and is to be believed still.
    ///
    /// # Parameters
    /// - `incarnation`: who.
    ///
    /// # Errors
    /// The engine failed.
    async fn beats(&self, incarnation: Incarnation) -> Result<bool, StoreError>;

    /// Ends an incarnation: from now on every call that comes with an epoch of it is refused as
    /// [fenced](StoreError::is_fenced) and changes nothing. May be repeated.
    ///
    /// # Parameters
    /// - `incarnation`: who.
    ///
    /// # Errors
    /// The engine failed; some of the incarnation's calls may be refused already.
    async fn fence(&self, incarnation: Incarnation) -> Result<(), StoreError>;

    /// The calls that were noted under an epoch; each API and user once. Complete where the incarnation was fenced before.
    ///
    /// # Parameters
    /// - `id`: whose epoch, and which.
    ///
    /// # Errors
    /// The engine failed.
    async fn pending(&self, id: EpochId) -> Result<Vec<Tally>, StoreError>;

    /// Forgets an epoch that is in the ledger. May be repeated.
    ///
    /// # Parameters
    /// - `id`: whose epoch, and which.
    ///
    /// # Errors
    /// The engine failed; what was noted may stay for a while, which does no harm.
    async fn settle(&self, id: EpochId) -> Result<(), StoreError>;
}
