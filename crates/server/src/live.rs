//! The live tier: in this process, or in Redis.

use std::{sync::Arc, time::Duration};

use tollbar_core::{
    LiveTier,
    gate::LiveProcesses,
    ports::{CallTracker, Clock, HealthCheck, OneTrip, RateLimiter, SessionCache, Sharing},
};
use tollbar_memory::{MemoryLive, MemoryOptions};
use tollbar_redis::{RedisLive, RedisOptions};

use crate::{settings::RedisSettings, start_error::StartError};

/// The ports of one live tier.
pub(crate) struct Live {
    pub(crate) tier: LiveTier,
    pub(crate) health: Arc<dyn HealthCheck>,
    /// What a person calls it: engine and place, without a secret.
    pub(crate) place: String,
    redis: Option<RedisLive>,
}

/// Whether processes with such a live tier tolerate each other on one database.
pub(crate) fn sharing(redis: Option<&RedisSettings>) -> Sharing {
    if redis.is_some() { Sharing::Together } else { Sharing::Alone }
}

impl Live {
    /// Starts it. That Redis is away is no error.
    pub(crate) async fn start(
        redis: Option<&RedisSettings>,
        cache_ttl: Duration,
        clock: Arc<dyn Clock>,
        processes: LiveProcesses,
    ) -> Result<Self, StartError> {
        let options = MemoryOptions { cache_ttl, ..MemoryOptions::default() };
        let memory = MemoryLive::new(clock, options);
        let Some(settings) = redis else {
            return Ok(Self::of(memory, "memory of this process".to_owned(), None));
        };
        let mut options = RedisOptions::new(&settings.url);
        options.ca_file.clone_from(&settings.ca_file);
        options.cert_file.clone_from(&settings.cert_file);
        options.key_file.clone_from(&settings.key_file);
        options.prefix.clone_from(&settings.prefix);
        options.partitions = settings.partitions;
        options.deadline = settings.deadline;
        options.cache_ttl = cache_ttl;
        options.pool_size = settings.pool_size;
        options.max_in_flight = settings.max_in_flight;
        let redis = RedisLive::connect(options).await?;
        let place = format!("Redis, {}, keys {}:…", redis.place(), settings.prefix);
        let pending = Arc::new(redis.clone());
        let live = Self::of(redis.clone(), place, Some(redis));
        let tier = live.tier.with_pending(pending).with_insurance(Arc::new(memory), processes);
        Ok(Self { tier, ..live })
    }

    fn of<L>(live: L, place: String, redis: Option<RedisLive>) -> Self
    where
        L: SessionCache + RateLimiter + CallTracker + OneTrip + HealthCheck + 'static,
    {
        let live = Arc::new(live);
        Self { tier: LiveTier::of(live.clone()), health: live, place, redis }
    }

    /// How to end it once nobody uses it any more.
    pub(crate) fn end(&self) -> impl Future<Output = ()> + use<> {
        let redis = self.redis.clone();
        async move {
            if let Some(redis) = redis {
                redis.shutdown().await;
            }
        }
    }
}
