//! Redis, however it is deployed, as the conformance suites take it.
#![allow(dead_code, reason = "other suites take the server alone")]

use std::{
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError, Weak},
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
use tollbar_testkit::{PrivateCluster, PrivateRedis, PrivateSentinels, RedisPrefix, SavedRedis, unique_name};

/// A way to deploy Redis.
pub(crate) trait Deployment: Sized + Send + Sync + 'static {
    /// One that this test may share with others.
    fn shared() -> Arc<Self>;
    fn url(&self) -> String;
    fn prefix(&self) -> String {
        unique_name("conformance")
    }
}

/// The server of the run.
pub(crate) struct Server(RedisPrefix);

impl Deployment for Server {
    fn shared() -> Arc<Self> {
        Arc::new(Self(RedisPrefix::new()))
    }

    fn url(&self) -> String {
        self.0.url().to_owned()
    }

    fn prefix(&self) -> String {
        self.0.as_str().to_owned()
    }
}

/// Three primaries.
pub(crate) struct Cluster(PrivateCluster);

impl Deployment for Cluster {
    fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
        shared(&SHARED, || Self(PrivateCluster::start()))
    }

    fn url(&self) -> String {
        self.0.url()
    }
}

/// A primary, a replica and three sentinels.
pub(crate) struct Sentinels(PrivateSentinels);

impl Deployment for Sentinels {
    fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Sentinels>> = Mutex::new(Weak::new());
        shared(&SHARED, || Self(PrivateSentinels::start()))
    }

    fn url(&self) -> String {
        // The sentinels have the same password as the servers, and the URL must say so.
        let url = self.0.url();
        let password = url.split_once('@').and_then(|(before, _)| before.rsplit_once(':'));
        let (_, password) = password.expect("a private engine has a password");
        format!("{url}&sentinel_password={password}")
    }
}

/// The one that other tests use just now, or a new one; it ends with the last test that uses it, and so leaves nothing behind.
fn shared<D>(place: &Mutex<Weak<D>>, start: impl FnOnce() -> D) -> Arc<D> {
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(running) = place.upgrade() {
        return running;
    }
    let started = Arc::new(start());
    *place = Arc::downgrade(&started);
    started
}

/// A shared deployment with a prefix of its own, or a server of its own.
enum Engine<D> {
    Shared { _deployment: Arc<D> },
    Private(Box<Mutex<(PrivateRedis, Option<SavedRedis>)>>),
}

/// A live tier of its own on Redis, on a clock that tests set.
pub(crate) struct Redis<D = Server> {
    // Dropped first, while the engine is still there.
    live: Arc<RedisLive>,
    clock: Arc<ManualClock>,
    engine: Engine<D>,
    _deployed: PhantomData<D>,
}

impl<D: Deployment> Redis<D> {
    async fn on(url: &str, prefix: &str, engine: Engine<D>) -> Self {
        let clock = Arc::new(ManualClock::new());
        let options = RedisOptions {
            prefix: prefix.into(),
            // The machine of a test may be busy with other tests.
            deadline: Duration::from_secs(2),
            ..RedisOptions::new(url)
        };
        let live = RedisLive::connect(options).await.expect("the options are good");
        up(&live).await;
        let live = live.with_test_clock(clock.clone());
        Self { live: Arc::new(live), clock, engine, _deployed: PhantomData }
    }

    fn with_private<T>(&self, act: impl FnOnce(&mut (PrivateRedis, Option<SavedRedis>)) -> T) -> T {
        let Engine::Private(private) = &self.engine else {
            panic!("the shared engine is not to be restarted")
        };
        act(&mut private.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn up(live: &RedisLive) {
    let up = async {
        while live.check().await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), up).await.expect("Redis is up");
}

#[async_trait]
impl<D: Deployment> Harness for Redis<D> {
    async fn start() -> Self {
        let deployment = D::shared();
        let (url, prefix) = (deployment.url(), deployment.prefix());
        Self::on(&url, &prefix, Engine::Shared { _deployment: deployment }).await
    }
}

impl<D: Deployment> ClockHarness for Redis<D> {
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
impl<D: Deployment> SessionCacheHarness for Redis<D> {
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
        up(&self.live).await;
    }
}

impl<D: Deployment> RateLimiterHarness for Redis<D> {
    fn rate_limiter(&self) -> Arc<dyn RateLimiter> {
        self.live.clone()
    }
}

impl<D: Deployment> CallTrackerHarness for Redis<D> {
    fn call_tracker(&self) -> Arc<dyn CallTracker> {
        self.live.clone()
    }
}

impl<D: Deployment> OneTripHarness for Redis<D> {
    fn one_trip(&self) -> Arc<dyn OneTrip> {
        self.live.clone()
    }
}

impl<D: Deployment> PendingCallsHarness for Redis<D> {
    fn pending_calls(&self) -> Arc<dyn PendingCalls> {
        self.live.clone()
    }
}
