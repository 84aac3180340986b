//! Puts the service together over whichever tiers the settings name.

use std::{pin::Pin, sync::Arc, time::Duration};

use tollbar_core::{
    Assembly, AssemblyOptions,
    counts::{BookOptions, CountFlusher, FlusherOptions},
    domain::Incarnation,
    gate::{DenialOptions, LiveProcesses},
    policies::Policies,
    ports::{Clock, Fact, SystemClock},
    sessions::{LoadLimits, SessionOptions},
    usecases::{LiveSessions, Ping, Readiness},
};
use tollbar_http::{Bar, Services, Shutdown};
use tracing::warn;

use crate::{
    admin::Admin, cli::Progress, durable::Durable, live::Live, operations::Here, settings::Settings,
    start_error::StartError,
};

/// What runs.
pub(crate) struct Parts {
    pub(crate) services: Services,
    pub(crate) live_sessions: Arc<LiveSessions>,
    pub(crate) flusher: CountFlusher,
    pub(crate) admin: Admin,
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
    processes: LiveProcesses,
    last_flush: Duration,
) -> Result<Parts, StartError> {
    if let Some(redis) = &settings.redis {
        let partitions = redis.partitions.to_string();
        durable.fixed(Fact::RedisPrefix, "redis.prefix", &redis.prefix).await?;
        durable.fixed(Fact::RedisPartitions, "redis.partitions", &partitions).await?;
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let live =
        Live::start(settings.redis.as_ref(), settings.session.cache_ttl, Arc::clone(&clock), processes)
            .await?;
    let (durable_tier, live_tier) = (durable.tier.clone(), live.tier.clone());
    let (policies, options) = (Policies::new(settings.policies.table()), options(settings, last_flush));
    let assembly = Assembly::new(durable_tier, live_tier, clock.clone(), process, policies, options);
    let Assembly { signup, login, logout, authorize, analytics, live_sessions, operations, flusher, .. } =
        assembly.await?;
    let progress = Progress::counting("callers on the leaderboard");
    if let Err(error) = flusher.raise_board_telling(&|callers| progress.has(callers)).await {
        warn!(?error, "the leaderboard is not complete yet; the flusher goes on trying");
    }
    progress.end();
    let others_deny_for = settings.redis.as_ref().map(|_| settings.session.cache_ttl);
    let admin = Admin::new(Here::new(operations, others_deny_for), live.health.name(), &settings.admin_hosts);
    let services = Services {
        signup,
        login,
        logout,
        bar: Bar::new(authorize, settings.bar.clone()),
        ping: Arc::new(Ping::new(settings.ping_delay)),
        analytics,
        readiness: Arc::new(Readiness::new(Arc::clone(&durable.health), Arc::clone(&live.health), clock)),
        body_timeout: settings.server.client_timeout,
        shutdown: Shutdown::default(),
    };
    Ok(Parts { services, live_sessions, flusher, admin, end: Box::pin(live.end()), live: live.place })
}

fn options(settings: &Settings, last_flush: Duration) -> AssemblyOptions {
    let sessions = settings.session.options;
    AssemblyOptions {
        sessions: SessionOptions {
            loads: LoadLimits { patience: settings.database.deadline, ..sessions.loads },
            ..sessions
        },
        bcrypt_cost: settings.password.bcrypt_cost,
        password_queue: settings.password.queue,
        on_hashing_thread: step_back,
        min_password_length: settings.password.min_length,
        book: BookOptions {
            limit: settings.counts.book_limit,
            commit_first: settings.counts.flush.is_zero(),
            patience: settings.database.deadline,
        },
        flush: FlusherOptions {
            every: settings.counts.flush,
            last: last_flush,
            claim: settings.database.claim,
        },
        denials: DenialOptions { entries: settings.gate.deny_cache, ttl: settings.session.cache_ttl },
    }
}

/// Lowers the priority of a thread that hashes: a login takes long in any case, and calls should not wait for it. On an idle
/// machine it is as fast as ever.
fn step_back() {
    // Of this thread, that is, on Linux; elsewhere it would be the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(19) {
        warn!(%error, "threads that hash passwords keep their priority");
    }
}
