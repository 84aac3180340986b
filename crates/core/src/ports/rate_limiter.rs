//! Port: exact rate limits (live tier).

use async_trait::async_trait;

use crate::{
    StoreError,
    domain::{Decision, Policy, UserId},
};

/// Limits on the engine's own clock: no half-open interval `(t − period, t]` holds more than a window's quota of admitted units,
/// whatever the concurrency, and a denied call spends nothing.
///
/// State is kept by the policy's name and the user, so a changed policy acts at once on what is known.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait RateLimiter: Send + Sync {
    /// Decides one call and, where every window admits it, charges the policy's cost, in one atomic step.
    ///
    /// # Parameters
    /// - `policy`: name, windows and cost.
    /// - `user`: who is charged.
    ///
    /// # Errors
    /// The engine failed; after a transient failure the call may have been charged.
    async fn decide(&self, policy: &Policy, user: UserId) -> Result<Decision, StoreError>;

    /// Says what [`decide`](Self::decide) would say now; writes nothing.
    ///
    /// # Parameters
    /// - `policy`: name, windows and cost.
    /// - `user`: who would be charged.
    ///
    /// # Errors
    /// The engine failed.
    async fn peek(&self, policy: &Policy, user: UserId) -> Result<Decision, StoreError>;
}
