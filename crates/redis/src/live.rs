//! The live tier on one Redis: what the adapters of the ports share.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use fred::bytes::Bytes;
use tokio::runtime::Handle;
use tollbar_core::{
    StoreError,
    domain::UserId,
    ports::{Clock, HealthCheck, LeaseNonce},
    random_u64,
};

use crate::{
    arguments::Arguments,
    engine::{Engine, Sending},
    keys::Keys,
    lanes::Lanes,
    node::Maker,
    options::{RedisOptions, RedisOptionsError},
    scripts::DROP,
    target::{self, Kind},
    topology::Topology,
    watcher::watch,
};

/// Implements [`SessionCache`](tollbar_core::ports::SessionCache), [`RateLimiter`](tollbar_core::ports::RateLimiter),
/// [`CallTracker`](tollbar_core::ports::CallTracker), [`OneTrip`](tollbar_core::ports::OneTrip) and [`HealthCheck`] on Redis 7 or later. Cheap to clone.
#[derive(Clone)]
pub struct RedisLive {
    pub(crate) shared: Arc<Shared>,
    clock: Option<Arc<dyn Clock>>,
}

/// What all clones have in common.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) keys: Keys,
    pub(crate) lanes: Lanes,
    /// Where the servers are, for people.
    place: String,
    pub(crate) cache_ttl: Duration,
    pub(crate) lease_ttl: Duration,
    /// Begins at a random number, so that no two processes count through the same ones.
    nonces: AtomicU64,
}

/// Odd, so that a count by it comes round only after all 2⁶⁴ numbers; and far, so that neighbours are no leases.
const STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;

/// What a time set by a test adds to the real lifetime of a key: the times in the values then decide.
const SLACK: Duration = Duration::from_secs(60 * 60);

impl RedisLive {
    /// Starts to connect, on the tokio runtime that this is called on: connections and their tasks stay there, while calls may
    /// come from any other.
    ///
    /// Returns once Redis is connected, or after half a second without: then every call fails at once, as transient, until
    /// a connection comes up; attempts to make one never end and are half a second apart at most.
    ///
    /// # Errors
    /// The options cannot be used. That Redis is away is no error.
    pub async fn connect(options: RedisOptions) -> Result<Self, RedisOptionsError> {
        let (target, dialer) = options.check()?;
        let nonces = random_u64().map_err(RedisOptionsError::Randomness)?.into();
        let (place, keys) = (target::place(&target), Keys::new(&options.prefix, options.partitions));
        let pool_size = options.pool_size.get();
        let slots = matches!(target.kind, Kind::Cluster(_)).then(|| keys.slots());
        let lanes = match &slots {
            // A script's keys must be of one slot.
            Some(slots) => Lanes::new(slots.len(), options.max_in_flight.get(), true),
            None => Lanes::new(pool_size, options.max_in_flight.get(), false),
        };
        let near = if slots.is_some() { 0 } else { pool_size };
        let maker = Maker { dialer, runtime: Handle::current(), pool_size, lanes: near };
        let topology = Arc::new(Topology::new(maker, slots));
        let engine = Engine::new(Arc::clone(&topology), options.deadline, options.max_in_flight.get());
        watch(&topology, target.kind);
        topology.wait().await;
        let (cache_ttl, lease_ttl) = (options.cache_ttl, options.lease_ttl);
        let shared = Shared { engine, keys, lanes, place, cache_ttl, lease_ttl, nonces };
        Ok(Self { shared: Arc::new(shared), clock: None })
    }

    /// Host, port and database, or how the servers are found, for people.
    pub fn place(&self) -> &str {
        &self.shared.place
    }

    /// The same connections, with the time of every script taken from a clock that a test sets. Keys live an hour longer than
    /// they should, as the engine's own clock knows nothing of this one.
    #[cfg(feature = "test-clock")]
    #[must_use]
    pub fn with_test_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Says good-bye to Redis and ends all connections and tasks; calls fail from then on. Dropping the last clone ends them,
    /// too, without waiting.
    pub async fn shutdown(&self) {
        self.shared.engine.close().await;
    }

    /// Evicts a user's cached set. For tests and operators: it is read again from the durable tier.
    ///
    /// # Errors
    /// Redis failed.
    pub async fn drop_entry(&self, user: UserId) -> Result<(), StoreError> {
        let arguments = self.timed([self.shared.keys.record(user)]);
        self.shared
            .engine
            .run(self.shared.keys.partition(user), "drop an entry", Sending::Repeatable, &DROP, arguments)
            .await
            .map(drop)
    }

    /// Lets a user's lease lapse. For tests and operators: the next look-up that misses gets another.
    ///
    /// # Errors
    /// Redis failed.
    pub async fn drop_lease(&self, user: UserId) -> Result<(), StoreError> {
        let arguments = Arguments::default().keys([self.shared.keys.lease(user)]);
        self.shared
            .engine
            .command(self.shared.keys.partition(user), "drop a lease", Sending::Repeatable, "DEL", arguments)
            .await
            .map(drop)
    }

    /// A number for a lease that no other lease had.
    pub(crate) fn nonce(&self) -> LeaseNonce {
        LeaseNonce(self.shared.nonces.fetch_add(STRIDE, Relaxed))
    }

    /// The arguments that every timed script begins with: the time (see `now.lua`), and the slack in ms.
    pub(crate) fn timed(
        &self,
        keys: impl IntoIterator<Item = Bytes, IntoIter: ExactSizeIterator>,
    ) -> Arguments {
        let arguments = Arguments::of_keys(keys);
        match &self.clock {
            Some(clock) => arguments.number(clock.now().as_micros()).number(SLACK.as_secs() * 1000),
            None => arguments.own_time().number(0),
        }
    }
}

impl fmt::Debug for RedisLive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLive").field("keys", &self.shared.keys).finish_non_exhaustive()
    }
}

#[async_trait]
impl HealthCheck for RedisLive {
    fn name(&self) -> &'static str {
        "redis"
    }

    async fn check(&self) -> Result<(), StoreError> {
        let keys = &self.shared.keys;
        let signs = keys.partitions().map(|at| (at, keys.sign(at)));
        match self.shared.engine.check("write to redis", signs).await {
            // It is this process that has too much to ask.
            Err(error) if error.is_overloaded() => Ok(()),
            checked => checked,
        }
    }
}
