//! The tiers of a service on PostgreSQL and Redis, and sessions over them.

use std::{sync::Arc, time::Duration};

use clap::Args;
use tollbar_core::{
    domain::TokenKey,
    ports::{Clock, Fact, Installation, SessionCache, SessionStore, SystemClock},
    random_bytes,
    sessions::{LoadLimits, SessionOptions, TieredSessions},
};
use tollbar_postgres::{PgOptions, PgStore};
use tollbar_redis::{RedisLive, RedisOptions};

use crate::Failure;

/// Longer than any run: a session that ends meanwhile would be answered with 401.
pub(crate) const SESSION_TTL: Duration = Duration::from_secs(24 * 60 * 60);
/// Longer than most runs: what is made at once would otherwise expire at once, in the middle of somebody's round.
pub(crate) const CACHE_TTL: Duration = Duration::from_secs(60 * 60);

/// As in the configuration of the binary under load.
const DATABASE_DEADLINE: Duration = Duration::from_secs(5);

/// Where the engines are.
#[derive(Args)]
pub(crate) struct Engines {
    /// postgres://…
    #[arg(long)]
    pub(crate) database: String,
    /// redis://…
    #[arg(long)]
    pub(crate) redis: String,
}

/// Both tiers.
pub(crate) struct Tiers {
    pub(crate) store: Arc<PgStore>,
    pub(crate) live: Arc<RedisLive>,
}

impl Engines {
    /// Opens both, with the defaults that the service has, but for deadlines: a busy machine should not turn calls into failures.
    pub(crate) async fn open_within(&self, deadline: Duration) -> Result<Tiers, Failure> {
        let options = PgOptions { deadline: DATABASE_DEADLINE, ..PgOptions::new(&self.database) };
        let store = Arc::new(PgStore::open(options).await?);
        let options = RedisOptions { cache_ttl: CACHE_TTL, deadline, ..RedisOptions::new(&self.redis) };
        Ok(Tiers { store, live: Arc::new(RedisLive::connect(options).await?) })
    }
}

/// Sessions over any tiers, sealed with the key of this installation.
pub(crate) async fn sessions<S, C>(store: Arc<S>, cache: Arc<C>) -> Result<TieredSessions, Failure>
where
    S: SessionStore + Installation + 'static,
    C: SessionCache + 'static,
{
    let key = store.decide(Fact::TokenKey, &random_bytes::<32>()?).await?;
    let key = TokenKey::from_bytes(key.try_into().map_err(|_| "the database holds no valid token key")?);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Ok(TieredSessions::new(store, cache, clock, key, session_options()))
}

/// The defaults, but sessions that outlast every run, and the patience that goes with the deadline.
pub(crate) fn session_options() -> SessionOptions {
    let loads = LoadLimits { patience: DATABASE_DEADLINE, ..LoadLimits::default() };
    SessionOptions { ttl: SESSION_TTL, loads, ..SessionOptions::default() }
}
