//! The gate for while the live tier is away: sessions by the durable tier, and limits of this process or none.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;

use crate::{
    StoreError,
    counts::CallBook,
    domain::{Decision, Incarnation, Policy, Subject},
    ports::{Admission, Clock, RateLimiter, Standby},
    sessions::TieredSessions,
};

/// How many processes share the limits, as far as is known. Clones share the number.
#[derive(Debug, Clone)]
pub struct LiveProcesses(Arc<AtomicU32>);

impl Default for LiveProcesses {
    /// This one.
    fn default() -> Self {
        Self(Arc::new(AtomicU32::new(1)))
    }
}

impl LiveProcesses {
    /// Says how many there are, this one included.
    pub fn set(&self, processes: u32) {
        self.0.store(processes.max(1), Ordering::Relaxed);
    }

    /// How many there are.
    pub fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A gate that asks no live tier. What it admits is counted in the ledger, from which the live counts are raised later.
pub struct DurableGate {
    sessions: Arc<TieredSessions>,
    book: Arc<CallBook>,
    clock: Arc<dyn Clock>,
    limits: Option<(Arc<dyn RateLimiter>, LiveProcesses)>,
}

impl DurableGate {
    /// A gate that limits nobody.
    pub fn open(sessions: Arc<TieredSessions>, book: Arc<CallBook>, clock: Arc<dyn Clock>) -> Self {
        Self { sessions, book, clock, limits: None }
    }

    /// A gate that limits by a limiter of this process: every quota over its period times the number of processes, so that
    /// together they admit no more in the long run than the policy does. At once, each may admit a quota.
    pub fn local(
        sessions: Arc<TieredSessions>,
        book: Arc<CallBook>,
        clock: Arc<dyn Clock>,
        limiter: Arc<dyn RateLimiter>,
        processes: LiveProcesses,
    ) -> Self {
        Self { sessions, book, clock, limits: Some((limiter, processes)) }
    }

    async fn decide(&self, subject: Subject, policy: &Policy) -> Result<Decision, StoreError> {
        match &self.limits {
            Some((limiter, processes)) if !policy.windows().is_empty() => {
                limiter.decide(&policy.stretched(processes.get()), subject).await
            }
            _ => Ok(Decision { at: self.clock.now(), windows: Vec::new(), repeated: false }),
        }
    }
}

#[async_trait]
impl Standby for DurableGate {
    async fn admit(
        &self,
        token: &str,
        policy: &Policy,
        noted_under: Option<Incarnation>,
    ) -> Result<Admission, StoreError> {
        let Some(token) = self.sessions.recognise(token) else { return Ok(Admission::Unauthenticated) };
        if !self.sessions.is_live_durably(&token).await? {
            return Ok(Admission::Unauthenticated);
        }
        let (user, session) = (token.user(), token.version());
        // Before the charge: a call that could not be counted should not cost its caller anything.
        let passage = noted_under.map_or_else(|| self.book.enter(), |first| self.book.enter_again(first))?;
        let decision = self.decide(user.into(), policy).await?;
        if !decision.allowed() {
            return Ok(Admission::Limited { user, decision });
        }
        // No live tier has noted it: in this process alone, it would not survive a kill.
        passage.count_unheard(policy.api(), user).commit().await?;
        Ok(Admission::Admitted { user, session, decision })
    }

    async fn limit(&self, subject: Subject, policy: &Policy) -> Result<Decision, StoreError> {
        self.decide(subject, policy).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Session, SessionSet, Version},
        gate::fixture::{book, decision, flushing, policy, sessions, token, user},
        ports::{ManualClock, MockRateLimiter, MockSessionCache, MockSessionStore},
    };

    /// Sessions whose durable tier has the user's session of version 2.
    fn durable() -> Arc<TieredSessions> {
        let mut store = MockSessionStore::new();
        store.expect_load().returning(|_, _| {
            let remaining = std::time::Duration::from_secs(60);
            let session = Session { version: Version::new(2), verifier: token(2).verifier(), remaining };
            Ok(Some(SessionSet { version: Version::new(2), sessions: vec![session] }))
        });
        sessions(store, MockSessionCache::new())
    }

    #[tokio::test]
    async fn a_quota_is_spread_over_as_many_periods_as_there_are_processes() {
        let mut limiter = MockRateLimiter::new();
        limiter.expect_decide().times(2).returning(|asked, _| {
            assert_eq!(asked.windows(), policy("ping", &[(1, 15), (2, 180)]).windows());
            Ok(decision(asked, &[(0, 15, 0), (1, 180, 0)]))
        });
        let (book, processes) = (book(10), LiveProcesses::default());
        let (clock, in_ledger) = (Arc::new(ManualClock::new()), flushing(&book));
        let gate = DurableGate::local(durable(), book.clone(), clock, Arc::new(limiter), processes.clone());
        processes.set(3);
        let ping = policy("ping", &[(1, 5), (2, 60)]);
        let admission = gate.admit(&token(2).expose(), &ping, None).await.unwrap();
        assert!(matches!(admission, Admission::Admitted { session, .. } if session == Version::new(2)));
        assert_eq!(in_ledger.load(Ordering::Relaxed), 1);
        gate.limit(user().into(), &ping).await.unwrap();
        assert_eq!(gate.admit(&token(1).expose(), &ping, None).await.unwrap(), Admission::Unauthenticated);
    }

    #[tokio::test]
    async fn an_open_gate_limits_nobody_and_counts_all() {
        let book = book(10);
        let in_ledger = flushing(&book);
        let gate = DurableGate::open(durable(), book.clone(), Arc::new(ManualClock::new()));
        for _ in 0..3 {
            let admission = gate.admit(&token(2).expose(), &policy("ping", &[(1, 5)]), None).await.unwrap();
            assert!(matches!(admission, Admission::Admitted { decision, .. } if decision.windows.is_empty()));
        }
        assert_eq!(in_ledger.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_the_ledger_has_not_taken_is_not_acknowledged() {
        let book = book(10);
        let gate = DurableGate::open(durable(), book.clone(), Arc::new(ManualClock::new()));
        let failure = gate.admit(&token(2).expose(), &policy("ping", &[(1, 5)]), None).await.unwrap_err();
        assert!(failure.is_transient(), "{failure:?}");
        assert_eq!(
            book.close().unwrap().settled().await.tallies[0].calls,
            1,
            "it will be counted all the same"
        );
    }

    #[tokio::test]
    async fn a_call_that_was_noted_under_another_name_is_not_counted_again() {
        let book = book(10);
        let (first, in_ledger) = (book.incarnation(), flushing(&book));
        let gate = DurableGate::open(durable(), book.clone(), Arc::new(ManualClock::new()));
        let ask =
            async |noted_under| gate.admit(&token(2).expose(), &policy("ping", &[(1, 5)]), noted_under).await;
        assert!(matches!(ask(Some(first)).await, Ok(Admission::Admitted { .. })));
        book.begin_anew(Incarnation::from_bytes([9; 16]));
        assert!(ask(Some(first)).await.unwrap_err().is_fenced());
        assert!(matches!(ask(None).await, Ok(Admission::Admitted { .. })));
        assert_eq!(in_ledger.load(Ordering::Relaxed), 2);
    }
}
