//! Port: exact rate limits (live tier).

use async_trait::async_trait;

use crate::{
    StoreError,
    domain::{Decision, Policy, PolicyName, Subject},
};

/// Which limits of a subject are reset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WhichLimits {
    /// Those of this policy, whichever algorithm it has; `None`: of all policies.
    pub policy: Option<PolicyName>,
    /// Whether those of single paths are among them. To find them, an engine may have to look at all that it keeps.
    pub paths: bool,
}

/// Limits on the engine's own clock: of an exact policy no half-open interval `(t − period, t]` holds more than a window's quota of
/// admitted units, whatever the concurrency; [`GcraLog`](crate::domain::GcraLog) says what holds of the others. A denied call spends
/// nothing.
///
/// State is kept by the policy's name, its path and the subject, so a changed policy acts at once on what is known.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait RateLimiter: Send + Sync {
    /// Decides one call and, where every window admits it, charges the policy's cost, in one atomic step.
    ///
    /// # Parameters
    /// - `policy`: name, windows and cost.
    /// - `subject`: who is charged.
    ///
    /// # Errors
    /// The engine failed; after a transient failure the call may have been charged.
    async fn decide(&self, policy: &Policy, subject: Subject) -> Result<Decision, StoreError>;

    /// Says what [`decide`](Self::decide) would say now; writes nothing.
    ///
    /// # Parameters
    /// - `policy`: name, windows and cost.
    /// - `subject`: who would be charged.
    ///
    /// # Errors
    /// The engine failed.
    async fn peek(&self, policy: &Policy, subject: Subject) -> Result<Decision, StoreError>;

    /// Gives a subject its whole quota back: forgets what was charged to it. Sessions and counts stay. Answers how many states that
    /// still held anything were forgotten, one for each policy and path.
    ///
    /// # Parameters
    /// - `subject`: whose.
    /// - `which`: of which policies, and whether of single paths.
    ///
    /// # Errors
    /// The engine failed; some may have been forgotten.
    async fn reset(&self, subject: Subject, which: &WhichLimits) -> Result<u64, StoreError>;
}
