//! What an adapter gives a suite: a fresh engine, the port on it, and the hands of fate.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tollbar_core::{
    domain::{Epoch, EpochId, Incarnation, UserId},
    ports::{
        CallHistory, CallLedger, CallTracker, Clock, Installation, OneTrip, PendingCalls, ProcessLease,
        RateLimiter, SessionCache, SessionStore, UserRepo,
    },
};

/// An engine, or a part of one, that nobody else uses. What it holds is removed when it is dropped.
#[async_trait]
pub trait Harness: Send + Sync + 'static {
    /// Starts with nothing in it.
    async fn start() -> Self
    where
        Self: Sized;
}

/// For the suite of [`UserRepo`].
pub trait UserRepoHarness: Harness {
    /// The port.
    fn user_repo(&self) -> Arc<dyn UserRepo>;
}

/// For the suite of [`SessionStore`], whose users come from the same tier.
pub trait SessionStoreHarness: UserRepoHarness {
    /// The port.
    fn session_store(&self) -> Arc<dyn SessionStore>;
}

/// For the suites of [`CallLedger`] and [`CallHistory`].
pub trait CallLedgerHarness: Harness {
    /// The port.
    fn call_ledger(&self) -> Arc<dyn CallLedger>;

    /// What it has added of the activity of epochs.
    fn call_history(&self) -> Arc<dyn CallHistory>;

    /// The claims on the same store.
    fn claims(&self) -> Arc<dyn ProcessLease>;
}

/// For the suite of [`Installation`].
pub trait InstallationHarness: Harness {
    /// The port.
    fn installation(&self) -> Arc<dyn Installation>;
}

/// For the suite of [`ProcessLease`].
#[async_trait]
pub trait ProcessLeaseHarness: Harness {
    /// The port as one more process on the same data has it. Dropping it without a release is that process's sudden end.
    async fn process(&self) -> Arc<dyn ProcessLease>;
}

/// An engine whose time a test can set.
pub trait ClockHarness: Harness {
    /// The clock that the engine goes by.
    fn clock(&self) -> Arc<dyn Clock>;

    /// Lets this much time pass.
    fn pass(&self, span: Duration);

    /// Moves the clock back by this much.
    fn step_back(&self, span: Duration);
}

/// For the suite of [`SessionCache`]; entries live 60 s at most and leases 2 s.
#[async_trait]
pub trait SessionCacheHarness: ClockHarness {
    /// The port.
    fn session_cache(&self) -> Arc<dyn SessionCache>;

    /// Drops a user's entry, as an engine that is short of memory may.
    async fn evict(&self, user: UserId);

    /// Drops a user's lease, as if its 2 s were over.
    async fn lapse(&self, user: UserId);

    /// Starts on an engine of its own, which [`roll_back`](Self::roll_back) may restart.
    async fn start_restartable() -> Self
    where
        Self: Sized;

    /// Remembers what the engine holds now.
    async fn save(&self);

    /// Restarts the engine with what it held at the last [`save`](Self::save), as after the loss of its last writes. An engine
    /// that forgets everything at a restart comes back empty.
    async fn roll_back(&self);
}

/// For the suites of [`RateLimiter`].
pub trait RateLimiterHarness: ClockHarness {
    /// The port.
    fn rate_limiter(&self) -> Arc<dyn RateLimiter>;
}

/// For the suite of [`CallTracker`].
pub trait CallTrackerHarness: Harness {
    /// The port.
    fn call_tracker(&self) -> Arc<dyn CallTracker>;
}

/// For the suites of [`OneTrip`], on an engine that implements the other live ports, too.
pub trait OneTripHarness: SessionCacheHarness + RateLimiterHarness + CallTrackerHarness {
    /// The port.
    fn one_trip(&self) -> Arc<dyn OneTrip>;
}

/// For the suite of [`PendingCalls`], on an engine that outlives its callers.
pub trait PendingCallsHarness: OneTripHarness {
    /// The port.
    fn pending_calls(&self) -> Arc<dyn PendingCalls>;
}

/// Some epoch, for calls that are not about it.
pub fn epoch() -> EpochId {
    epoch_of(1, 1)
}

/// An epoch of the incarnation whose bytes are all this one.
pub(crate) fn epoch_of(incarnation: u8, epoch: u64) -> EpochId {
    EpochId { incarnation: Incarnation::from_bytes([incarnation; 16]), epoch: Epoch::new(epoch) }
}
