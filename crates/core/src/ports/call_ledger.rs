//! Port: the durable totals of calls (durable tier).

use async_trait::async_trait;

use crate::{
    StoreError,
    domain::{ApiName, Caller, Epoch, EpochId, EpochSums, Incarnation, Tally, UserId},
};

/// A place in the ledger's order: by API, then by user.
pub type TallyKey = (ApiName, UserId);

/// What became of an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    /// It is in the ledger, since now or before. The totals, as they stand after it, of every user and API that it names.
    Totals(Vec<Tally>),
    /// The incarnation is closed, or was never begun: nothing was added.
    Closed,
}

/// Totals by API and user, to which whole epochs of open incarnations are added, each exactly once.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait CallLedger: Send + Sync {
    /// Opens an incarnation, before anything is counted under it. May be repeated; one that is closed stays closed.
    ///
    /// # Parameters
    /// - `incarnation`: who will author epochs.
    /// - `process`: whose claim ([`ProcessLease`](super::ProcessLease)) shows that it lives.
    ///
    /// # Errors
    /// The store failed.
    async fn begin(&self, incarnation: Incarnation, process: Incarnation) -> Result<(), StoreError>;

    /// Adds an epoch's sums, and what became of its calls to the [`CallHistory`](super::CallHistory), in one transaction, unless this or a
    /// later epoch of the incarnation was added already. May be repeated.
    ///
    /// # Parameters
    /// - `id`: whose epoch it is, and which.
    /// - `sums`: calls in that epoch.
    ///
    /// # Errors
    /// The store failed; after a transient failure the epoch may have been added, whole.
    async fn add(&self, id: EpochId, sums: &EpochSums) -> Result<Added, StoreError>;

    /// Keeps in mind whether the live counts may lack calls that an open incarnation has added: where it cannot tell them itself, others shall know.
    ///
    /// # Parameters
    /// - `incarnation`: who added them.
    /// - `behind`: whether they may.
    ///
    /// # Errors
    /// The store failed.
    async fn say_behind(&self, incarnation: Incarnation, behind: bool) -> Result<(), StoreError>;

    /// Whether the live counts may lack calls of any open incarnation.
    ///
    /// # Errors
    /// The store failed.
    async fn is_any_behind(&self) -> Result<bool, StoreError>;

    /// The open incarnations whose process holds no claim.
    ///
    /// # Errors
    /// The store failed.
    async fn orphans(&self) -> Result<Vec<Incarnation>, StoreError>;

    /// The last epoch of an open incarnation that was added; zero: none yet. `None` where it is not open.
    ///
    /// # Parameters
    /// - `incarnation`: of whom.
    ///
    /// # Errors
    /// The store failed.
    async fn last_added(&self, incarnation: Incarnation) -> Result<Option<Epoch>, StoreError>;

    /// Closes an incarnation, and in the same transaction adds those of these epochs that are later than its last one. May be
    /// repeated: one that is closed already changes nothing.
    ///
    /// # Parameters
    /// - `incarnation`: who authors no more.
    /// - `epochs`: what it has counted, earliest first.
    ///
    /// # Errors
    /// The store failed; after a transient failure it may have been closed, with all of the epochs.
    async fn close(&self, incarnation: Incarnation, epochs: &[(Epoch, EpochSums)]) -> Result<(), StoreError>;

    /// Reads totals in the order of API and user.
    ///
    /// # Parameters
    /// - `after`: where the page before ended; `None` begins.
    /// - `limit`: how many at most; fewer mean that the ledger ends here.
    ///
    /// # Errors
    /// The store failed.
    async fn totals(&self, after: Option<TallyKey>, limit: usize) -> Result<Vec<Tally>, StoreError>;

    /// The users with the most calls that are in the ledger, most first, ties by lower number. Reads all totals of the API.
    ///
    /// # Parameters
    /// - `api`: what was called.
    /// - `limit`: how many at most.
    ///
    /// # Errors
    /// The store failed.
    async fn top(&self, api: &ApiName, limit: usize) -> Result<Vec<Caller>, StoreError>;

    /// How many different users have a call in the ledger. Reads all totals of the API.
    ///
    /// # Parameters
    /// - `api`: what was called.
    ///
    /// # Errors
    /// The store failed.
    async fn distinct(&self, api: &ApiName) -> Result<u64, StoreError>;

    /// The totals of one user, in the order of APIs. Does not read those of others.
    ///
    /// # Parameters
    /// - `user`: who called.
    ///
    /// # Errors
    /// The store failed.
    async fn of_user(&self, user: UserId) -> Result<Vec<Tally>, StoreError>;
}
