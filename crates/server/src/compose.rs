//! Puts the use cases together over whichever tiers the settings name.

use std::{pin::Pin, sync::Arc, time::Duration};

use tollbar_core::{
    counts::{CallBook, CountFlusher, FlusherOptions},
    domain::Incarnation,
    gate::PlainGate,
    hashing::BcryptHasher,
    ports::{Clock, Fact, SystemClock},
    sessions::TieredSessions,
    usecases::{CallCounts, Login, Logout, Ping, Readiness, Signup},
};
use tollbar_http::{Services, Shutdown};
use tracing::warn;

use crate::{durable::Durable, live::Live, settings::Settings, start_error::StartError};

/// What runs.
pub(crate) struct Parts {
    pub(crate) services: Services,
    pub(crate) flusher: CountFlusher,
    /// Ends the live tier.
    pub(crate) end: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Where live things are kept, in a person's words.
    pub(crate) live: String,
}

/// Everything between the claim on the database and the socket, in the order in which it may fail.
pub(crate) async fn compose(
    settings: &Settings,
    durable: &Durable,
    process: Incarnation,
    last_flush: Duration,
) -> Result<Parts, StartError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let key = durable.token_key().await?;
    if let Some(redis) = &settings.redis {
        let partitions = redis.partitions.to_string();
        durable.fixed(Fact::RedisPrefix, "redis.prefix", &redis.prefix).await?;
        durable.fixed(Fact::RedisPartitions, "redis.partitions", &partitions).await?;
    }
    let live = Live::start(settings.redis.as_ref(), settings.session.cache_ttl, Arc::clone(&clock)).await?;

    let book = Arc::new(CallBook::new(settings.counts.book_limit));
    let options = FlusherOptions { every: settings.counts.flush, last: last_flush };
    let (ledger, tracker) = (Arc::clone(&durable.ledger), Arc::clone(&live.tracker));
    let mut flusher = CountFlusher::new(Arc::clone(&book), ledger, tracker, process, options);
    if let Err(error) = flusher.raise_board().await {
        warn!(?error, "the leaderboard is not complete yet; the flusher goes on trying");
    }

    let hasher = Arc::new(BcryptHasher::new(settings.password.bcrypt_cost, settings.password.queue).await?);
    let (store, cache) = (Arc::clone(&durable.sessions), Arc::clone(&live.cache));
    let sessions = Arc::new(TieredSessions::new(store, cache, clock, key, settings.session.options));
    let policy = Arc::new(settings.policy.clone());
    let (limiter, tracker) = (Arc::clone(&live.limiter), Arc::clone(&live.tracker));
    let gate = Arc::new(PlainGate::new(Arc::clone(&sessions), limiter, tracker, book));
    let min_length = settings.password.min_length;
    let services = Services {
        signup: Arc::new(Signup::new(Arc::clone(&durable.users), hasher.clone(), min_length)),
        login: Arc::new(Login::new(Arc::clone(&durable.users), hasher, Arc::clone(&sessions))),
        logout: Arc::new(Logout::new(sessions)),
        ping: Arc::new(Ping::new(gate, Arc::clone(&policy), settings.ping_delay)),
        counts: Arc::new(CallCounts::new(Arc::clone(&live.tracker), policy.api().clone())),
        readiness: Arc::new(Readiness::new(Arc::clone(&durable.health), Arc::clone(&live.health))),
        body_timeout: settings.server.client_timeout,
        shutdown: Shutdown::default(),
    };
    Ok(Parts { services, flusher, end: Box::pin(live.end()), live: live.place })
}
