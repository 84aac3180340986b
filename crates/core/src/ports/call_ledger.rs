//! Port: the durable totals of calls (durable tier).

use async_trait::async_trait;

use crate::{
    StoreError,
    domain::{ApiName, Epoch, Incarnation, Tally, UserId},
};

/// A place in the ledger's order: by API, then by user.
pub type TallyKey = (ApiName, UserId);

/// Totals by API and user, to which whole epochs are added, each exactly once.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait CallLedger: Send + Sync {
    /// Adds an epoch's sums, in one transaction, unless this or a later epoch of the incarnation was added already. May be
    /// repeated. Returns the totals, as they stand after it, of every user and API that `sums` names.
    ///
    /// # Parameters
    /// - `incarnation`: the run of the process that counted.
    /// - `epoch`: which of its epochs.
    /// - `sums`: calls in that epoch; each API and user once.
    ///
    /// # Errors
    /// The store failed; after a transient failure the epoch may have been added, whole.
    async fn add(
        &self,
        incarnation: Incarnation,
        epoch: Epoch,
        sums: &[Tally],
    ) -> Result<Vec<Tally>, StoreError>;

    /// Reads totals in the order of API and user.
    ///
    /// # Parameters
    /// - `after`: where the page before ended; `None` begins.
    /// - `limit`: how many at most; fewer mean that the ledger ends here.
    ///
    /// # Errors
    /// The store failed.
    async fn totals(&self, after: Option<TallyKey>, limit: usize) -> Result<Vec<Tally>, StoreError>;
}
