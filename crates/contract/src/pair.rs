//! A durable and a live tier together, as a service has them.

use std::{marker::PhantomData, num::NonZeroUsize, sync::Arc, time::Duration};

use async_trait::async_trait;
use tollbar_core::{
    counts::{BookOptions, CallBook},
    domain::{Incarnation, TokenKey, UserId},
    ports::{
        CallHistory, CallLedger, CallTracker, Clock, Gate, PendingCalls, ProcessLease, RateLimiter,
        SessionCache, SessionStore, SystemClock,
    },
    sessions::{SessionOptions, TieredSessions},
};

use crate::{
    CallLedgerHarness, CallTrackerHarness, GatesOver, Harness, PendingCallsHarness, PlainGates,
    RateLimiterHarness, SessionCacheHarness, SessionStoreHarness, user_repo::someone,
};

/// A durable tier `D` under a live tier `L`, with gates `G`.
pub struct Pair<D, L, G = PlainGates> {
    durable: D,
    live: L,
    book: Arc<CallBook>,
    gates: PhantomData<G>,
}

impl<D, L, G> Pair<D, L, G> {
    fn of(durable: D, live: L) -> Self {
        let book =
            CallBook::new(Incarnation::from_bytes([1; 16]), Arc::new(SystemClock), BookOptions::default());
        Self { durable, live, book: Arc::new(book), gates: PhantomData }
    }
}

#[async_trait]
impl<D: Harness, L: Harness, G: Send + Sync + 'static> Harness for Pair<D, L, G> {
    async fn start() -> Self {
        Self::of(D::start().await, L::start().await)
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
    /// Moves the clock back by this much.
    fn step_back(&self, span: Duration);
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
impl<D: SessionStoreHarness, L: SessionCacheHarness, G: Send + Sync + 'static> TiersHarness
    for Pair<D, L, G>
{
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

    fn step_back(&self, span: Duration) {
        self.live.step_back(span);
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
        Self::of(D::start().await, L::start_restartable().await)
    }

    async fn save(&self) {
        self.live.save().await;
    }

    async fn roll_back(&self) {
        self.live.roll_back().await;
    }
}

/// What the suites of [`Gate`] need: gates, and the tiers that they decide on.
pub trait GateHarness: TiersHarness {
    /// A gate of a process of its own.
    fn gate(&self) -> Arc<dyn Gate> {
        self.gate_of(Arc::new(self.process()))
    }
    /// The gate of the process that has these sessions.
    fn gate_of(&self, sessions: Arc<TieredSessions>) -> Arc<dyn Gate> {
        self.gate_with(sessions, self.book())
    }
    /// The gate of the process that has these sessions, and counts in this book.
    fn gate_with(&self, sessions: Arc<TieredSessions>, book: Arc<CallBook>) -> Arc<dyn Gate>;
    /// The limits that it charges.
    fn rate_limiter(&self) -> Arc<dyn RateLimiter>;
    /// The live counts that it raises.
    fn call_tracker(&self) -> Arc<dyn CallTracker>;
    /// The durable counts.
    fn call_ledger(&self) -> Arc<dyn CallLedger>;
    /// The history of calls.
    fn call_history(&self) -> Arc<dyn CallHistory>;
    /// The counts that are not durable yet.
    fn book(&self) -> Arc<CallBook>;
}

/// What the suite of adoption needs: tiers that outlive their processes.
pub trait SharedTiersHarness: GateHarness {
    /// What the live tier has noted.
    fn pending_calls(&self) -> Arc<dyn PendingCalls>;
    /// The claims on the durable tier.
    fn claims(&self) -> Arc<dyn ProcessLease>;
}

impl<D, L, G> SharedTiersHarness for Pair<D, L, G>
where
    D: SessionStoreHarness + CallLedgerHarness,
    L: PendingCallsHarness,
    G: GatesOver<L>,
{
    fn pending_calls(&self) -> Arc<dyn PendingCalls> {
        self.live.pending_calls()
    }

    fn claims(&self) -> Arc<dyn ProcessLease> {
        self.durable.claims()
    }
}

impl<D, L, G> GateHarness for Pair<D, L, G>
where
    D: SessionStoreHarness + CallLedgerHarness,
    L: SessionCacheHarness + RateLimiterHarness + CallTrackerHarness,
    G: GatesOver<L>,
{
    fn gate_with(&self, sessions: Arc<TieredSessions>, book: Arc<CallBook>) -> Arc<dyn Gate> {
        G::gate(&self.live, sessions, book, self.live.clock())
    }

    fn rate_limiter(&self) -> Arc<dyn RateLimiter> {
        self.live.rate_limiter()
    }

    fn call_tracker(&self) -> Arc<dyn CallTracker> {
        self.live.call_tracker()
    }

    fn call_ledger(&self) -> Arc<dyn CallLedger> {
        self.durable.call_ledger()
    }

    fn call_history(&self) -> Arc<dyn CallHistory> {
        self.durable.call_history()
    }

    fn book(&self) -> Arc<CallBook> {
        Arc::clone(&self.book)
    }
}
