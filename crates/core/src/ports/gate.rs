//! Port: the whole decision on one call.

use async_trait::async_trait;

use crate::{
    StoreError,
    domain::{Decision, Incarnation, Policy, Subject, UserId, Version},
};

/// What the bar does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// The call goes through, is charged and is counted.
    Admitted {
        /// Who calls.
        user: UserId,
        /// Which of the user's sessions it is.
        session: Version,
        /// The state of every window after it.
        decision: Decision,
    },
    /// The call is over a limit; it is neither charged nor counted.
    Limited {
        /// Who calls.
        user: UserId,
        /// The windows that deny it, and the wait.
        decision: Decision,
    },
    /// The token is of no live session.
    Unauthenticated,
}

/// Session, limit and count as one decision.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Gate: Send + Sync {
    /// Authenticates, limits and counts one call.
    ///
    /// # Parameters
    /// - `token`: the text that the caller presents, not yet known to be a token.
    /// - `policy`: the limits, their cost, and the API that is counted.
    ///
    /// # Errors
    /// A store failed; after a transient failure the call may have been charged and counted, and must not be acknowledged.
    async fn admit(&self, token: &str, policy: &Policy) -> Result<Admission, StoreError>;

    /// Limits one call by something else than its user; nobody is authenticated and nothing counted.
    ///
    /// # Parameters
    /// - `subject`: who is charged.
    /// - `policy`: the limits and their cost.
    ///
    /// # Errors
    /// A store failed; after a transient failure the call may have been charged.
    async fn limit(&self, subject: Subject, policy: &Policy) -> Result<Decision, StoreError>;

    /// Forgets what it remembers of former decisions, since policies were exchanged or limits reset.
    fn policies_changed(&self);
}

/// Decides in the place of a [`Gate`] whose live tier is away.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Standby: Send + Sync {
    /// Authenticates, limits and counts one call.
    ///
    /// # Parameters
    /// - `token`, `policy`: as for [`Gate::admit`].
    /// - `noted_under`: where the gate was asked before, what its error says ([`StoreError::noted_under`]). Another incarnation does not count
    ///   the call: whoever adopted that one has counted its note.
    ///
    /// # Errors
    /// A store failed, or the process counts under another incarnation; after a transient failure the call may have been counted, and must
    /// not be acknowledged.
    async fn admit(
        &self,
        token: &str,
        policy: &Policy,
        noted_under: Option<Incarnation>,
    ) -> Result<Admission, StoreError>;

    /// Limits one call as [`Gate::limit`] does.
    ///
    /// # Errors
    /// A store failed.
    async fn limit(&self, subject: Subject, policy: &Policy) -> Result<Decision, StoreError>;
}
