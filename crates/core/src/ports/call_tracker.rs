//! Port: the live counts of admitted calls (live tier).

use async_trait::async_trait;

use crate::{
    StoreError,
    domain::{ApiName, Caller, EpochId, UserId},
};

/// How long a leaderboard can be asked for.
pub const MAX_TOP: usize = 10;

/// One attempt to raise all counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RaiseId(pub u64);

/// The leaderboard and the distinct count of each API.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait CallTracker: Send + Sync {
    /// Counts one admitted call, on the board and among the distinct callers.
    ///
    /// # Parameters
    /// - `api`: what was called.
    /// - `user`: who called.
    /// - `epoch`: under which a live tier that outlives its callers [notes](super::PendingCalls) the call.
    ///
    /// # Errors
    /// The engine failed; after a transient failure the call may have been counted, but not where it was
    /// [fenced](StoreError::is_fenced).
    async fn record(&self, api: &ApiName, user: UserId, epoch: EpochId) -> Result<(), StoreError>;

    /// The users with the most calls, most first, ties by lower number.
    ///
    /// # Parameters
    /// - `api`: what was called.
    /// - `limit`: how many at most; more than [`MAX_TOP`] are never given.
    ///
    /// # Errors
    /// The engine failed.
    async fn top(&self, api: &ApiName, limit: usize) -> Result<Vec<Caller>, StoreError>;

    /// How many different users have called: exact, or an estimate where the engine keeps a sketch (its typical error is
    /// below 1 %).
    ///
    /// # Parameters
    /// - `api`: what was called.
    ///
    /// # Errors
    /// The engine failed.
    async fn distinct(&self, api: &ApiName) -> Result<u64, StoreError>;

    /// Raises the board to these totals where it is lower, and counts their users as callers. May be repeated. Whether the
    /// engine was found behind them, or damaged: then it may be behind the totals of others, too.
    ///
    /// # Parameters
    /// - `api`: what was called.
    /// - `totals`: calls so far, as the [`CallLedger`](super::CallLedger) has them; users without a call are left out.
    ///
    /// # Errors
    /// The engine failed; some of the totals may have been taken.
    async fn raise(&self, api: &ApiName, totals: &[Caller]) -> Result<bool, StoreError>;

    /// Whether the counts have been raised to the whole ledger, and nothing was lost since by a restart of the engine or its
    /// emptying. What single counts lose is told by [`raise`](Self::raise).
    ///
    /// # Errors
    /// The engine failed.
    async fn is_whole(&self) -> Result<bool, StoreError>;

    /// Begins to raise all counts, or begins again. Whether it may: another process can be at it.
    ///
    /// # Parameters
    /// - `raise`: a random number that the caller made, or that of a raise which it began, or may have begun, and did not end.
    ///
    /// # Errors
    /// The engine failed; it may have begun.
    async fn begin_raise(&self, raise: RaiseId) -> Result<bool, StoreError>;

    /// Ends an attempt at which every total of the ledger was passed to [`raise`](Self::raise): the counts are whole, unless
    /// something was lost since it began. Whether they are.
    ///
    /// # Parameters
    /// - `raise`: as [`begin_raise`](Self::begin_raise) was given it.
    ///
    /// # Errors
    /// The engine failed.
    async fn end_raise(&self, raise: RaiseId) -> Result<bool, StoreError>;
}
