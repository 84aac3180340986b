//! The whole service: built from settings, run until it is told to stop.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::dev::Server;
use tokio::{
    runtime::Handle,
    signal::unix::Signal,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tollbar_core::{domain::Incarnation, gate::LiveProcesses, random_bytes};
use tracing::{info, warn};

use crate::{
    claim::{Claim, KeptClaim},
    compose::{Parts, compose},
    durable::Durable,
    listener, live, metrics, operator, reload,
    settings::{Origin, ServerSettings, Settings},
    start_error::{RunError, StartError},
    traces::Traces,
};

/// A service that listens. Nothing is served before [`run`](Self::run).
pub struct Application {
    socket: TcpListener,
    address: SocketAddr,
    operators: Option<TcpListener>,
    settings: ServerSettings,
    origin: Origin,
    hangups: Option<Signal>,
    parts: Parts,
    claim: KeptClaim,
    traces: Option<Traces>,
}

/// How a shutdown divides its time.
struct Budget {
    /// Requests in flight.
    requests: Duration,
    /// The last counts.
    flush: Duration,
    /// The last traces, among the goodbyes.
    traces: Duration,
}

impl Budget {
    fn of(settings: &ServerSettings) -> Self {
        let all = settings.shutdown_timeout;
        let flush = (all / 3).min(Duration::from_secs(10));
        // A tenth is left for goodbyes.
        let requests = all.saturating_sub(settings.shutdown_delay + flush + all / 10);
        Self { requests, flush, traces: all / 20 }
    }
}

/// The reason that an address gives.
fn refused(address: SocketAddr) -> impl Fn(io::Error) -> StartError {
    move |source| StartError::Listen { address, source }
}

impl Application {
    /// Opens both tiers, claims the database, and listens. The policies are read from `origin` again where a signal or a changed
    /// file asks for it.
    ///
    /// # Errors
    /// See [`StartError`]. That Redis is away is none: the service starts degraded.
    pub async fn build(settings: Settings, origin: Origin) -> Result<Self, StartError> {
        let origin = origin.with(&settings);
        let hangups = reload::hangups();
        let durable = Durable::open(&settings.database).await?;
        let process = Incarnation::from_bytes(random_bytes()?);
        let sharing = live::sharing(settings.redis.as_ref());
        let lease = Arc::clone(&durable.lease);
        let (ttl, outlives) = (settings.database.claim, durable.claim_outlives);
        let processes = LiveProcesses::default();
        let claim = Claim::enter(lease, process, sharing, ttl, outlives, processes.clone()).await?;
        // From here on: raising a long leaderboard may outlast a claim.
        let claim = claim.kept();
        match Self::claimed(&settings, &durable, process, processes).await {
            Ok((socket, operators, parts)) => {
                let address = socket.local_addr().map_err(refused(settings.server.bind))?;
                if let Some(operators) = operators.as_ref().and_then(|socket| socket.local_addr().ok()) {
                    info!(address = %operators, "listening for operators");
                }
                info!(%address, durable = durable.place, live = parts.live, "listening");
                let settings = settings.server;
                Ok(Self { socket, address, operators, settings, origin, hangups, parts, claim, traces: None })
            }
            Err(error) => {
                claim.end().await;
                Err(error)
            }
        }
    }

    async fn claimed(
        settings: &Settings,
        durable: &Durable,
        process: Incarnation,
        processes: LiveProcesses,
    ) -> Result<(TcpListener, Option<TcpListener>, Parts), StartError> {
        let last_flush = Budget::of(&settings.server).flush;
        let parts = compose(settings, durable, process, processes, last_flush).await?;
        let listen = |address| listener::listen(address).map_err(refused(address));
        Ok((listen(settings.server.bind)?, settings.admin.map(listen).transpose()?, parts))
    }

    /// The same that ends these traces when it ends itself.
    #[must_use]
    pub fn with_traces(self, traces: Option<Traces>) -> Self {
        Self { traces, ..self }
    }

    /// Where it listens: the real port, also where the settings say 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`, then ends in order: no new requests, those in flight, the last counts, goodbyes.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn run(self, stop: CancellationToken) -> Result<(), RunError> {
        let Self {
            socket,
            operators,
            settings,
            origin,
            hangups,
            parts: Parts { services, live_sessions, flusher, end, admin, .. },
            address,
            claim,
            traces,
            ..
        } = self;
        let (shutdown, bar) = (services.shutdown.clone(), services.bar.clone());
        let sources = operator::Sources {
            analytics: services.analytics.clone(),
            readiness: services.readiness.clone(),
            live_sessions,
            public: address,
            latencies: Arc::default(),
            runtime: Handle::current(),
            hosts: admin.hosts(),
        };
        let server = listener::serve(socket, services, &settings).map_err(RunError::Server)?;
        let handle = server.handle();
        // Only where somebody can look.
        let latencies = operators.is_some().then(|| Arc::clone(&sources.latencies));
        let operators = operators.map(|socket| operator::serve(socket, sources, admin));
        let operators = operators.transpose().map_err(RunError::Server)?;
        let goodbye = operators.as_ref().map(Server::handle);
        let operators = operators.map(tokio::spawn);
        let keeping_up = tokio::spawn(metrics::keep_up());
        let remembering = latencies
            .map(|latencies| AbortOnDropHandle::new(tokio::spawn(async move { latencies.keep_up().await })));
        let mut server = tokio::spawn(server);

        let (no_more_counts, lost) = (CancellationToken::new(), claim.lost.clone());
        let flushing = tokio::spawn(flusher.run(no_more_counts.clone()));
        let reloading = tokio::spawn(reload::reload(origin, bar, hangups));

        let failed = tokio::select! {
            ended = &mut server => Some(ended.unwrap_or_else(|error| Err(std::io::Error::other(error)))),
            () = stop.cancelled() => None,
            () = lost.cancelled() => None,
        };

        let in_order = async {
            shutdown.begin();
            // Not awaited: it may wait for a disk.
            reloading.abort();
            if failed.is_none() {
                // Beside an heir, every further answer could contradict it.
                if !lost.is_cancelled() {
                    sleep(settings.shutdown_delay).await;
                }
                let requests = Budget::of(&settings).requests;
                if timeout(requests, handle.stop(true)).await.is_err() {
                    warn!(?requests, "requests in flight were cut off");
                    server.abort();
                }
            }
            // Only now: every call that was acknowledged is in the book.
            no_more_counts.cancel();
            drop(flushing.await);
            claim.end().await;
            end.await;
            if let Some(traces) = traces {
                traces.end(Budget::of(&settings).traces).await;
            }
            // Last: a shutdown, too, is something to look at.
            if let (Some(goodbye), Some(operators)) = (goodbye, operators) {
                goodbye.stop(false).await;
                drop(operators.await);
            }
            keeping_up.abort();
            drop(remembering);
        };
        let ended = timeout(settings.shutdown_timeout, in_order).await;
        match (failed, ended) {
            (Some(Err(error)), _) => Err(RunError::Server(error)),
            _ if lost.is_cancelled() => Err(RunError::Lost),
            (_, Err(_)) => Err(RunError::Late(settings.shutdown_timeout)),
            _ => {
                info!("stopped");
                Ok(())
            }
        }
    }
}
