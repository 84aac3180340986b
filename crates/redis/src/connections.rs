//! The connections to one server: kept up in the background for as long as they are wanted.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use fred::{
    clients::Client,
    error::Error,
    interfaces::{ClientLike, EventInterface},
    types::config::{Config, ConnectionConfig, ReconnectPolicy, TcpConfig, UnresponsiveConfig},
};
use futures_util::future::join_all;
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::AbortOnDropHandle,
};

use crate::server_time::ServerTime;

/// How long a start waits for an engine that is up, and a shutdown for one that does not say good-bye.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);
/// How long making a connection may take, and how long an engine may be silent before its connection is given up.
const SILENCE: Duration = Duration::from_secs(1);

/// How often a server is asked what time it has, and how many times in a row in vain.
const TIME_CHECK: Duration = Duration::from_millis(500);
const MOST_SILENCES: u32 = 2;

/// Clients that share the load, each with a task that keeps it connected. Dropping this ends the tasks; so does the end of the
/// runtime that they are on, and then none of the clients is picked any more.
#[derive(Debug)]
pub(crate) struct Connections {
    links: Vec<Link>,
    turn: AtomicUsize,
    keepers: Mutex<Vec<JoinHandle<()>>>,
    /// A task has ended, with its runtime or because it was told to.
    abandoned: CancellationToken,
    wanted: CancellationToken,
    _ends: DropGuard,
}

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) client: Client,
    /// Of the server that it is connected to, once that has answered.
    pub(crate) time: Arc<ServerTime>,
}

/// What a server is to be asked again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upkeep {
    /// What time it has: one that is silent is left, and connected to anew.
    Time,
    /// Nothing: it is no server of data.
    None,
}

impl Connections {
    /// Starts to connect, on the runtime that this is called on.
    pub(crate) fn start(config: &Config, size: usize, upkeep: Upkeep) -> Self {
        let new_link = |_| Link {
            client: Client::new(config.clone(), None, Some(settings()), Some(policy())),
            time: Arc::default(),
        };
        let links: Vec<_> = (0..size).map(new_link).collect();
        let wanted = CancellationToken::new();
        let abandoned = CancellationToken::new();
        let keepers = links.iter().map(|link| {
            let (keeping, ended) =
                (keep_up(link.clone(), wanted.clone(), upkeep), abandoned.clone().drop_guard());
            tokio::spawn(async move {
                let _ended = ended;
                keeping.await;
            })
        });
        let keepers = Mutex::new(keepers.collect());
        Self {
            links,
            turn: AtomicUsize::new(0),
            keepers,
            abandoned,
            wanted: wanted.clone(),
            _ends: wanted.drop_guard(),
        }
    }

    /// Whether all of them are connected.
    pub(crate) fn are_up(&self) -> bool {
        self.links.iter().all(|link| link.client.is_connected())
    }

    /// A client that is connected, each in turn. Without one a call must fail at once: the driver would hold it back.
    pub(crate) fn pick(&self) -> Option<&Link> {
        if self.abandoned.is_cancelled() {
            return None;
        }
        let turn = self.turn.fetch_add(1, Relaxed);
        let in_turn =
            (0..self.links.len()).map(|step| &self.links[turn.wrapping_add(step) % self.links.len()]);
        in_turn.into_iter().find(|link| link.client.is_connected())
    }

    /// Says good-bye to the engine and ends the tasks.
    pub(crate) async fn close(&self) {
        self.wanted.cancel();
        let keepers = std::mem::take(&mut *self.keepers.lock().unwrap_or_else(PoisonError::into_inner));
        join_all(keepers).await;
    }
}

fn settings() -> ConnectionConfig {
    ConnectionConfig {
        connection_timeout: SILENCE,
        internal_command_timeout: SILENCE,
        // Each call says itself how often it may be sent.
        max_command_attempts: 1,
        unresponsive: UnresponsiveConfig { max_timeout: Some(SILENCE), interval: SILENCE / 4 },
        tcp: TcpConfig { nodelay: Some(true), ..TcpConfig::default() },
        ..ConnectionConfig::default()
    }
}

/// A cluster that is down refuses a call, upon which the driver gives the connection up and opens it again. That is no loss to speak of.
fn is_refusal_of_cluster(error: &Error) -> bool {
    error.details().starts_with("CLUSTERDOWN")
}

fn policy() -> ReconnectPolicy {
    let mut policy = ReconnectPolicy::new_exponential(0, 10, 500, 2);
    policy.set_jitter(20);
    policy
}

async fn keep_up(Link { client, time }: Link, wanted: CancellationToken, upkeep: Upkeep) {
    let server = client.client_config().server.hosts().first().map(ToString::to_string).unwrap_or_default();
    let (mut errors, mut successes) = (client.error_rx(), client.reconnect_rx());
    let mut run = AbortOnDropHandle::new(client.connect());
    let (mut up, mut was_refused) = (true, false);
    let mut clock = interval(TIME_CHECK);
    let mut silences = 0;
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = wanted.cancelled() => break,
            Ok((error, _)) = errors.recv() => {
                time.forget();
                if up && is_refusal_of_cluster(&error) {
                    was_refused = true;
                } else if std::mem::take(&mut up) {
                    // Once for each loss, not for each attempt.
                    tracing::warn!(%server, %error, "no connection to redis");
                }
            }
            Ok(_) = successes.recv() => {
                if !std::mem::take(&mut was_refused) || !up {
                    tracing::info!(%server, "connected to redis");
                }
                up = true;
                clock.reset_immediately();
            }
            _ = clock.tick(), if upkeep == Upkeep::Time && client.is_connected() => {
                let Some(answered) = wanted.run_until_cancelled(time.learn(&client)).await else { break };
                silences = if answered { 0 } else { silences + 1 };
                // What is written meanwhile keeps the driver from noticing that nothing comes back.
                if silences >= MOST_SILENCES && client.is_connected() {
                    silences = 0;
                    let leaving = timeout(PATIENCE, client.force_reconnection());
                    if wanted.run_until_cancelled(leaving).await.is_none() {
                        break;
                    }
                }
            }
            ended = &mut run => {
                // The driver gives up on errors that it holds to be final; an operator may mend those, too.
                if std::mem::take(&mut up) {
                    tracing::warn!(%server, ?ended, "no connection to redis; it is tried again and again");
                }
                if wanted.run_until_cancelled(sleep(PATIENCE)).await.is_none() {
                    break;
                }
                run = AbortOnDropHandle::new(client.connect());
            }
        }
    }
    let _ = timeout(PATIENCE, client.quit()).await;
}
