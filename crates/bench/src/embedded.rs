//! Tollbar inside another app: a guarded handler over SQLite and memory.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use actix_web::{App, HttpResponse, HttpServer, web};
use clap::Args;
use tokio_util::sync::CancellationToken;
use tollbar_core::{
    Assembly, AssemblyOptions, DurableTier, LiveTier,
    domain::Incarnation,
    ports::{SystemClock, UserRepo},
    random_bytes,
};
use tollbar_http::{Bar, BarOptions, CurrentUser, Guard};
use tollbar_memory::{MemoryLive, MemoryOptions};
use tollbar_sqlite::{SqliteOptions, SqliteStore};

use crate::{
    Failure,
    hello::{done, workers},
    policy::{WIDE, policies},
    requests::{self, Request},
    tiers::{self, CACHE_TTL, session_options},
    users,
};

/// Make users in SQLite and memory, then serve a guarded handler to them
#[derive(Args)]
pub(crate) struct Embedded {
    /// Where to listen
    #[arg(long)]
    address: SocketAddr,
    /// The file of the database
    #[arg(long)]
    database: PathBuf,
    /// How many users to log in
    #[arg(long)]
    callers: u64,
    /// Where to write their pings
    #[arg(long)]
    pings: PathBuf,
}

async fn guarded(_: CurrentUser) -> HttpResponse {
    done().await
}

impl Embedded {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let options = SqliteOptions { path: self.database, ..SqliteOptions::default() };
        let store = Arc::new(SqliteStore::open(options).await?);
        let options = MemoryOptions { cache_ttl: CACHE_TTL, ..MemoryOptions::default() };
        let live = Arc::new(MemoryLive::new(Arc::new(SystemClock), options));

        // The memory is this process' own, so that it makes its users itself.
        let repo: Arc<dyn UserRepo> = store.clone();
        let callers = users::create(&repo, "caller", self.callers, &users::cheap_hash()?).await?;
        let sessions = tiers::sessions(store.clone(), live.clone()).await?;
        let tokens = users::open(&sessions, &callers).await?;
        requests::write(&self.pings, tokens.iter().map(|token| Request::ping(token)))?;

        let (durable, live) = (DurableTier::of(store), LiveTier::of(live));
        let process = Incarnation::from_bytes(random_bytes()?);
        let options = AssemblyOptions { sessions: session_options(), ..AssemblyOptions::default() };
        let policies = policies("embedded", &WIDE)?;
        let Assembly { authorize, flusher, .. } =
            Assembly::new(durable, live, Arc::new(SystemClock), process, policies, options).await?;
        tokio::spawn(flusher.run(CancellationToken::new()));
        let guard = Guard::new(Bar::new(authorize, BarOptions::default()));
        let app = move || {
            App::new()
                .service(web::resource("/ping").wrap(guard.clone()).route(web::get().to(guarded)))
                .route("/healthz", web::get().to(done))
        };
        Ok(HttpServer::new(app).workers(workers()).bind(self.address)?.run().await?)
    }
}
