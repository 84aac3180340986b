//! The plain gate: session, limit and count over the ports, one trip a step.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    StoreError,
    counts::CallBook,
    domain::{Decision, Policy, Subject},
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
        let Some(token) = self.sessions.recognise(token) else { return Ok(Admission::Unauthenticated) };
        if !self.sessions.is_live(&token).await? {
            return Ok(Admission::Unauthenticated);
        }
        let (user, session) = (token.user(), token.version());
        // Before the charge: a call that could not be counted should not cost its caller anything.
        let passage = self.book.enter()?;
        let decision = self.limiter.decide(policy, user.into()).await?;
        if !decision.allowed() {
            return Ok(Admission::Limited { user, decision });
        }
        let recorded = self.tracker.record(policy.api(), user, passage.epoch()).await;
        recorded.map_err(|error| passage.heed(error))?;
        passage.count(policy.api(), user).acknowledge().await?;
        Ok(Admission::Admitted { user, session, decision })
    }

    async fn limit(&self, subject: Subject, policy: &Policy) -> Result<Decision, StoreError> {
        self.limiter.decide(policy, subject).await
    }

    fn policies_changed(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        gate::fixture::{book, decision, policy, sessions, token, user},
        ports::{MockCallTracker, MockRateLimiter, MockSessionCache, MockSessionStore},
    };

    /// A gate on which `limiter` and `tracker` are asked, its book, and a live token.
    fn gate(limiter: MockRateLimiter, tracker: MockCallTracker) -> (PlainGate, Arc<CallBook>, String) {
        let book = book(10);
        let sessions = sessions(MockSessionStore::new(), MockSessionCache::new());
        let gate = PlainGate::new(sessions, Arc::new(limiter), Arc::new(tracker), Arc::clone(&book));
        (gate, book, token(2).expose())
    }

    fn ping() -> Policy {
        policy("ping", &[(1, 5)])
    }

    fn deciding(wait: u64) -> MockRateLimiter {
        let mut limiter = MockRateLimiter::new();
        limiter.expect_decide().once().returning(move |policy, asked| {
            assert_eq!(asked, user().into());
            Ok(decision(policy, &[(0, 5, wait)]))
        });
        limiter
    }

    #[tokio::test]
    async fn an_admitted_call_is_recorded_and_joins_the_epoch() {
        let mut tracker = MockCallTracker::new();
        tracker.expect_record().once().returning(|_, _, _| Ok(()));
        let (gate, book, token) = gate(deciding(0), tracker);
        assert!(matches!(gate.admit(&token, &ping()).await.unwrap(), Admission::Admitted { .. }));
        assert_eq!(book.close().unwrap().settled().await.tallies[0].calls, 1);
    }

    #[tokio::test]
    async fn a_limited_call_is_not_recorded_and_leaves_the_epoch_empty() {
        let (gate, book, token) = gate(deciding(5), MockCallTracker::new());
        assert!(matches!(gate.admit(&token, &ping()).await.unwrap(), Admission::Limited { .. }));
        assert!(book.close().is_none());
    }

    #[tokio::test]
    async fn a_call_that_could_not_be_recorded_is_not_acknowledged_and_not_counted() {
        let mut tracker = MockCallTracker::new();
        tracker.expect_record().returning(|_, _, _| Err(StoreError::transient("test", "down")));
        let (gate, book, token) = gate(deciding(0), tracker);
        assert!(gate.admit(&token, &ping()).await.unwrap_err().is_transient());
        assert!(book.close().is_none());
    }

    #[tokio::test]
    async fn without_a_session_neither_limiter_nor_tracker_is_asked() {
        let (gate, book, _) = gate(MockRateLimiter::new(), MockCallTracker::new());
        for dead in ["tbs_nonsense", &token(1).expose()] {
            assert_eq!(gate.admit(dead, &ping()).await.unwrap(), Admission::Unauthenticated);
        }
        assert!(book.close().is_none());
    }

    #[tokio::test]
    async fn a_call_that_could_not_be_counted_is_not_charged() {
        let (mut gate, _, token) = gate(MockRateLimiter::new(), MockCallTracker::new());
        gate.book = book(0);
        assert!(gate.admit(&token, &ping()).await.unwrap_err().is_transient());
    }
}
