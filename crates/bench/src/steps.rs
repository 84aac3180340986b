//! The service with the plain gate: session, limit and count cost a trip to Redis each.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{App, HttpServer, middleware::from_fn};
use clap::Args;
use tokio_util::sync::CancellationToken;
use tollbar_core::{
    Assembly, AssemblyOptions, DurableTier, LiveTier,
    counts::{CallBook, CountFlusher, FlusherOptions},
    domain::Incarnation,
    gate::{DurableGate, PlainGate},
    ports::{ProcessLease as _, Sharing, SystemClock},
    random_bytes,
    usecases::{Authorize, Ping, Readiness},
};
use tollbar_http::{Bar, BarOptions, Services, Shutdown, configure, not_found, request_span};

use crate::{
    Failure,
    hello::workers,
    policy::{WIDE, policies},
    tiers::{self, Engines, SESSION_TTL, session_options},
};

/// As in the configuration of the binary under load.
const REDIS_DEADLINE: Duration = Duration::from_secs(1);

/// Serve Tollbar's routes, with a trip to Redis a step
#[derive(Args)]
pub(crate) struct Steps {
    /// Where to listen
    #[arg(long)]
    address: SocketAddr,
    #[command(flatten)]
    engines: Engines,
}

impl Steps {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let tiers = self.engines.open_within(REDIS_DEADLINE).await?;
        let process = Incarnation::from_bytes(random_bytes()?);
        // Or the subjects beside it on the same database would take it for dead, and adopt its counts again and again.
        tiers.store.hold(process, Sharing::Together, SESSION_TTL).await?;
        let (durable, live) = (DurableTier::of(tiers.store.clone()), LiveTier::of(tiers.live.clone()));
        let options = AssemblyOptions { sessions: session_options(), ..AssemblyOptions::default() };

        let author = Incarnation::from_bytes(random_bytes()?);
        durable.ledger.begin(author, process).await?;
        let book = Arc::new(CallBook::new(author, Arc::new(SystemClock), options.book));
        let (ledger, history) = (durable.ledger.clone(), durable.history.clone());
        let (tracker, flush) = (live.tracker.clone(), FlusherOptions::default());
        let flusher = CountFlusher::new(book.clone(), ledger, history, tracker.clone(), None, process, flush);
        let sessions = Arc::new(tiers::sessions(tiers.store.clone(), tiers.live.clone()).await?);
        let open = Arc::new(DurableGate::open(sessions.clone(), book.clone(), Arc::new(SystemClock)));
        let gate = Arc::new(PlainGate::new(sessions, live.limiter.clone(), tracker, book.clone()));

        // Everything but the gate is as a service has it.
        let (clock, policies) = (Arc::new(SystemClock), policies("steps", &WIDE)?);
        let Assembly { signup, login, logout, analytics, .. } =
            Assembly::new(durable, live, clock, process, policies.clone(), options).await?;
        let authorize = Authorize::new(policies, gate, open, None, book);
        let services = Services {
            signup,
            login,
            logout,
            bar: Bar::new(Arc::new(authorize), BarOptions::default()),
            ping: Arc::new(Ping::new(Duration::ZERO)),
            analytics,
            readiness: Arc::new(Readiness::new(tiers.store, tiers.live, Arc::new(SystemClock))),
            body_timeout: Duration::from_secs(9),
            shutdown: Shutdown::default(),
        };
        tokio::spawn(flusher.run(CancellationToken::new()));
        let app = move || {
            App::new().configure(configure(services.clone())).configure(not_found).wrap(from_fn(request_span))
        };
        Ok(HttpServer::new(app).workers(workers()).bind(self.address)?.run().await?)
    }
}
