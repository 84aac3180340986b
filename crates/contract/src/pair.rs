//! A durable and a live tier together, as a service has them.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use async_trait::async_trait;
use tollbar_core::{
    counts::CallBook,
    domain::{TokenKey, UserId},
    gate::PlainGate,
    ports::{CallLedger, CallTracker, Clock, Gate, SessionCache, SessionStore},
    sessions::{SessionOptions, TieredSessions},
};

use crate::{
    CallLedgerHarness, CallTrackerHarness, Harness, RateLimiterHarness, SessionCacheHarness,
    SessionStoreHarness, user_repo::someone,
};

/// A durable tier `D` under a live tier `L`.
pub struct Pair<D, L> {
    durable: D,
    live: L,
    book: Arc<CallBook>,
}

#[async_trait]
impl<D: Harness, L: Harness> Harness for Pair<D, L> {
    async fn start() -> Self {
        Self { durable: D::start().await, live: L::start().await, book: Arc::new(CallBook::new(1_000_000)) }
    }
}

/// What the suites over two tiers need of a pair.
#[async_trait]
pub trait TiersHarness: Harness {
    /// The durable tier's sessions.
    fn session_store(&self) -> Arc<dyn SessionStore>;
    /// The live tier's sessions.
    fn session_cache(&self) -> Arc<dyn SessionCache>;
    /// The clock that both go by.
    fn clock(&self) -> Arc<dyn Clock>;
    /// Lets this much time pass.
    fn pass(&self, span: Duration);
    /// A new user.
    async fn user(&self, name: &str) -> UserId;
    /// Drops a user's entry in the live tier.
    async fn evict(&self, user: UserId);
    /// Drops a user's lease in the live tier.
    async fn lapse(&self, user: UserId);
    /// The same pair with a live tier of its own, which may be restarted.
    async fn start_restartable() -> Self
    where
        Self: Sized;
    /// Remembers what the live tier holds now.
    async fn save(&self);
    /// Restarts the live tier with what it held at the last [`save`](Self::save).
    async fn roll_back(&self);

    /// The sessions as one more process on these tiers has them.
    fn process(&self) -> TieredSessions {
        self.process_with(SessionOptions::default())
    }

    /// The same with these options.
    fn process_with(&self, options: SessionOptions) -> TieredSessions {
        let (store, cache) = (self.session_store(), self.session_cache());
        TieredSessions::new(store, cache, self.clock(), TokenKey::from_bytes([42; 32]), options)
    }

    /// The same where a user may have several sessions.
    fn process_with_sessions(&self, max_per_user: usize) -> TieredSessions {
        let max_per_user = NonZeroUsize::new(max_per_user).expect("a user may have a session");
        self.process_with(SessionOptions { max_per_user, ..SessionOptions::default() })
    }
}

#[async_trait]
impl<D: SessionStoreHarness, L: SessionCacheHarness> TiersHarness for Pair<D, L> {
    fn session_store(&self) -> Arc<dyn SessionStore> {
        self.durable.session_store()
    }

    fn session_cache(&self) -> Arc<dyn SessionCache> {
        self.live.session_cache()
    }

    fn clock(&self) -> Arc<dyn Clock> {
        self.live.clock()
    }

    fn pass(&self, span: Duration) {
        self.live.pass(span);
    }

    async fn user(&self, name: &str) -> UserId {
        someone(&self.durable, name).await
    }

    async fn evict(&self, user: UserId) {
        self.live.evict(user).await;
    }

    async fn lapse(&self, user: UserId) {
        self.live.lapse(user).await;
    }

    async fn start_restartable() -> Self {
        let (durable, live) = (D::start().await, L::start_restartable().await);
        Self { durable, live, book: Arc::new(CallBook::new(1_000_000)) }
    }

    async fn save(&self) {
        self.live.save().await;
    }

    async fn roll_back(&self) {
        self.live.roll_back().await;
    }
}

/// What the suite of [`Gate`] needs: a gate, and the tiers that it decides on.
pub trait GateHarness: TiersHarness {
    /// The gate.
    fn gate(&self) -> Arc<dyn Gate>;
    /// The live counts that it raises.
    fn call_tracker(&self) -> Arc<dyn CallTracker>;
    /// The durable counts.
    fn call_ledger(&self) -> Arc<dyn CallLedger>;
    /// The counts that are not durable yet.
    fn book(&self) -> Arc<CallBook>;
}

impl<D, L> GateHarness for Pair<D, L>
where
    D: SessionStoreHarness + CallLedgerHarness,
    L: SessionCacheHarness + RateLimiterHarness + CallTrackerHarness,
{
    fn gate(&self) -> Arc<dyn Gate> {
        let sessions = Arc::new(self.process());
        let (limiter, tracker) = (self.live.rate_limiter(), self.live.call_tracker());
        Arc::new(PlainGate::new(sessions, limiter, tracker, Arc::clone(&self.book)))
    }

    fn call_tracker(&self) -> Arc<dyn CallTracker> {
        self.live.call_tracker()
    }

    fn call_ledger(&self) -> Arc<dyn CallLedger> {
        self.durable.call_ledger()
    }

    fn book(&self) -> Arc<CallBook> {
        Arc::clone(&self.book)
    }
}
