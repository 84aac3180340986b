//! The plain gate: session, limit and count over the ports, one trip a step.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    StoreError,
    counts::CallBook,
    domain::Policy,
    ports::{Admission, CallTracker, Gate, RateLimiter},
    sessions::TieredSessions,
};

/// A gate for any tiers.
pub struct PlainGate {
    sessions: Arc<TieredSessions>,
    limiter: Arc<dyn RateLimiter>,
    tracker: Arc<dyn CallTracker>,
    book: Arc<CallBook>,
}

impl PlainGate {
    /// A gate over these sessions, limits and counts.
    pub fn new(
        sessions: Arc<TieredSessions>,
        limiter: Arc<dyn RateLimiter>,
        tracker: Arc<dyn CallTracker>,
        book: Arc<CallBook>,
    ) -> Self {
        Self { sessions, limiter, tracker, book }
    }
}

#[async_trait]
impl Gate for PlainGate {
    async fn admit(&self, token: &str, policy: &Policy) -> Result<Admission, StoreError> {
        let Some(user) = self.sessions.authenticate(token).await? else {
            return Ok(Admission::Unauthenticated);
        };
        // Before the charge: a call that could not be counted should not cost its caller anything.
        let passage = self.book.enter()?;
        let decision = self.limiter.decide(policy, user).await?;
        if !decision.allowed() {
            return Ok(Admission::Limited { user, decision });
        }
        self.tracker.record(policy.api(), user).await?;
        passage.count(policy.api(), user);
        Ok(Admission::Admitted { user, decision })
    }
}
