//! Port: session, limit and count as one atomic step of the engine (live tier).

use async_trait::async_trait;

use crate::{
    StoreError,
    domain::{Decision, EpochId, Policy, SessionToken, Subject, UserId},
};

/// What an engine says of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Crossing {
    /// The session lives; the call is charged and counted.
    Admitted(Decision),
    /// The session lives; a window denies the call, and nothing was changed.
    Limited(Decision),
    /// The cached set says that the token's session has ended, or never was.
    Dead,
    /// The cache cannot say: no set is cached, or the token is of a later version. Nothing was changed.
    Unknown,
}

/// Decides a call on what the ports [`SessionCache`](super::SessionCache), [`RateLimiter`](super::RateLimiter) and
/// [`CallTracker`](super::CallTracker) of the same engine keep, in one step: each sees what it changes, and it sees what they
/// change.
///
/// A call is sent once: where the answer is lost the outcome is unknown, and the call is an error that is not tried again.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait OneTrip: Send + Sync {
    /// Checks the session, limits and counts. It hands out no lease: on [`Crossing::Unknown`] the caller asks the tiered
    /// sessions, then [`charge`](Self::charge)s.
    ///
    /// # Parameters
    /// - `token`: whose seal has been checked.
    /// - `policy`: the limits, their cost, and the API that is counted.
    /// - `epoch`: under which a live tier that outlives its callers [notes](super::PendingCalls) the call.
    ///
    /// # Errors
    /// The engine failed; after a transient failure the call may have been charged and counted, but not where it was
    /// [fenced](StoreError::is_fenced).
    async fn admit(
        &self,
        token: &SessionToken,
        policy: &Policy,
        epoch: EpochId,
    ) -> Result<Crossing, StoreError>;

    /// Limits and counts a call whose session has just been found live.
    ///
    /// # Parameters
    /// - `user`: who is charged and counted.
    /// - `policy`: the limits, their cost, and the API that is counted.
    /// - `epoch`: under which a live tier that outlives its callers [notes](super::PendingCalls) the call.
    ///
    /// # Errors
    /// The engine failed; after a transient failure the call may have been charged and counted, but not where it was
    /// [fenced](StoreError::is_fenced).
    async fn charge(&self, user: UserId, policy: &Policy, epoch: EpochId) -> Result<Decision, StoreError>;

    /// Limits a call and counts nothing: what [`RateLimiter::decide`](super::RateLimiter::decide) does, in the engine's best way.
    ///
    /// # Parameters
    /// - `subject`: who is charged.
    /// - `policy`: the limits and their cost.
    ///
    /// # Errors
    /// The engine failed; after a transient failure the call may have been charged.
    async fn limit(&self, subject: Subject, policy: &Policy) -> Result<Decision, StoreError>;
}
