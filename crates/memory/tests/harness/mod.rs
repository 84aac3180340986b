//! The memory tier as the conformance suites take it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use tollbar_contract::{
    CallTrackerHarness, ClockHarness, Harness, OneTripHarness, RateLimiterHarness, SessionCacheHarness,
};
use tollbar_core::{
    domain::UserId,
    ports::{CallTracker, Clock, ManualClock, OneTrip, RateLimiter, SessionCache},
};
use tollbar_memory::{MemoryLive, MemoryOptions};

/// A fresh memory tier on a clock that tests set.
pub(crate) struct Memory {
    clock: Arc<ManualClock>,
    live: Mutex<Arc<MemoryLive>>,
}

impl Memory {
    fn fresh(clock: &Arc<ManualClock>) -> Arc<MemoryLive> {
        Arc::new(MemoryLive::new(clock.clone(), MemoryOptions::default()))
    }

    fn live(&self) -> Arc<MemoryLive> {
        Arc::clone(&self.live.lock().expect("no test panics while it holds this"))
    }
}

#[async_trait]
impl Harness for Memory {
    async fn start() -> Self {
        let clock = Arc::new(ManualClock::new());
        Self { live: Mutex::new(Self::fresh(&clock)), clock }
    }
}

impl ClockHarness for Memory {
    fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    fn pass(&self, span: Duration) {
        self.clock.advance(span);
    }

    fn step_back(&self, span: Duration) {
        self.clock.step_back(span);
    }
}

#[async_trait]
impl SessionCacheHarness for Memory {
    fn session_cache(&self) -> Arc<dyn SessionCache> {
        self.live()
    }

    async fn evict(&self, user: UserId) {
        self.live().drop_entry(user);
    }

    async fn lapse(&self, user: UserId) {
        self.live().drop_lease(user);
    }

    async fn start_restartable() -> Self {
        Self::start().await
    }

    async fn save(&self) {}

    async fn roll_back(&self) {
        // What is in memory does not outlive its process.
        *self.live.lock().expect("no test panics while it holds this") = Self::fresh(&self.clock);
    }
}

impl RateLimiterHarness for Memory {
    fn rate_limiter(&self) -> Arc<dyn RateLimiter> {
        self.live()
    }
}

impl CallTrackerHarness for Memory {
    fn call_tracker(&self) -> Arc<dyn CallTracker> {
        self.live()
    }
}

impl OneTripHarness for Memory {
    fn one_trip(&self) -> Arc<dyn OneTrip> {
        self.live()
    }
}
