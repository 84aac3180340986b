//! Redis as the conformance suites take it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tollbar_contract::{
    CallTrackerHarness, ClockHarness, Harness, OneTripHarness, PendingCallsHarness, RateLimiterHarness,
    SessionCacheHarness,
};
use tollbar_core::{
    domain::UserId,
    ports::{CallTracker, Clock, HealthCheck, ManualClock, OneTrip, PendingCalls, RateLimiter, SessionCache},
};
use tollbar_redis::{RedisLive, RedisOptions};
use tollbar_testkit::{PrivateRedis, RedisPrefix, SavedRedis};

/// A prefix of its own on the shared engine, or an engine of its own.
enum Engine {
    Shared { _prefix: RedisPrefix },
    Private(Box<Mutex<(PrivateRedis, Option<SavedRedis>)>>),
}

/// A live tier of its own on Redis, on a clock that tests set.
pub(crate) struct Redis {
    // Dropped first, while the engine is still there.
    live: Arc<RedisLive>,
    clock: Arc<ManualClock>,
    engine: Engine,
}

impl Redis {
    async fn on(url: &str, prefix: &str, engine: Engine) -> Self {
        let clock = Arc::new(ManualClock::new());
        let options = RedisOptions {
            prefix: prefix.into(),
            // The machine of a test may be busy with other tests.
            deadline: Duration::from_secs(2),
            ..RedisOptions::new(url)
        };
        let live = RedisLive::connect(options).await.expect("the options are good");
        let live = live.with_test_clock(clock.clone());
        Self { live: Arc::new(live), clock, engine }
    }

    fn with_private<T>(&self, act: impl FnOnce(&mut (PrivateRedis, Option<SavedRedis>)) -> T) -> T {
        let Engine::Private(private) = &self.engine else {
            panic!("the shared engine is not to be restarted")
        };
        act(&mut private.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Harness for Redis {
    async fn start() -> Self {
        let prefix = RedisPrefix::new();
        let (url, name) = (prefix.url().to_owned(), prefix.as_str().to_owned());
        Self::on(&url, &name, Engine::Shared { _prefix: prefix }).await
    }
}

impl ClockHarness for Redis {
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
impl SessionCacheHarness for Redis {
    fn session_cache(&self) -> Arc<dyn SessionCache> {
        self.live.clone()
    }

    async fn evict(&self, user: UserId) {
        self.live.drop_entry(user).await.expect("Redis is up");
    }

    async fn lapse(&self, user: UserId) {
        self.live.drop_lease(user).await.expect("Redis is up");
    }

    async fn start_restartable() -> Self {
        let private = PrivateRedis::start();
        let url = private.url();
        Self::on(&url, "tb", Engine::Private(Box::new(Mutex::new((private, None))))).await
    }

    async fn save(&self) {
        self.with_private(|(redis, saved)| *saved = Some(redis.save_state()));
    }

    async fn roll_back(&self) {
        self.with_private(|(redis, saved)| redis.restore_state(saved.as_ref().expect("saved before")));
        let up = async {
            while self.live.check().await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), up).await.expect("Redis is back");
    }
}

impl RateLimiterHarness for Redis {
    fn rate_limiter(&self) -> Arc<dyn RateLimiter> {
        self.live.clone()
    }
}

impl CallTrackerHarness for Redis {
    fn call_tracker(&self) -> Arc<dyn CallTracker> {
        self.live.clone()
    }
}

impl OneTripHarness for Redis {
    fn one_trip(&self) -> Arc<dyn OneTrip> {
        self.live.clone()
    }
}

impl PendingCallsHarness for Redis {
    fn pending_calls(&self) -> Arc<dyn PendingCalls> {
        self.live.clone()
    }
}
