//! Tollbar inside another app: its routes under `/toll`, and its bar in front of a route of the app's own.
//!
//! ```text
//! cargo run -p tollbar-http --example mount
//! curl -H 'Content-Type: application/json' -d '{"username":"ada","password":"pass123"}' localhost:8081/toll/signup
//! curl -H 'Content-Type: application/json' -d '{"username":"ada","password":"pass123"}' localhost:8081/toll/login
//! curl -H "Authorization: Bearer $TOKEN" localhost:8081/orders
//! ```

use std::{error::Error, sync::Arc, time::Duration};

use actix_web::{App, HttpServer, Responder, middleware::from_fn, web};
use tollbar_core::{
    counts::{CallBook, CountFlusher, FlusherOptions},
    domain::{ApiName, Incarnation, Policy, PolicyName, Quota, TokenKey, Window},
    gate::PlainGate,
    hashing::BcryptHasher,
    ports::{Fact, Gate, Installation, SystemClock},
    random_bytes,
    sessions::{SessionOptions, TieredSessions},
    usecases::{CallCounts, Login, Logout, Ping, Readiness, Signup},
};
use tollbar_http::{Admitted, Guard, Services, Shutdown, configure, request_span};
use tollbar_memory::{MemoryLive, MemoryOptions};
use tollbar_sqlite::{SqliteOptions, SqliteStore};

/// Runs for callers who are logged in and within ten calls a minute; each such call is counted.
async fn orders(caller: Admitted) -> impl Responder {
    format!("the orders of user {}, who has {} calls left", caller.user, caller.decision.windows[0].remaining)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Two tiers: any durable one goes with any live one.
    let store =
        Arc::new(SqliteStore::open(SqliteOptions::from_url("sqlite://data/mount-example.db")?).await?);
    let live = Arc::new(MemoryLive::new(Arc::new(SystemClock), MemoryOptions::default()));

    // The core over their ports.
    let key = store.decide(Fact::TokenKey, &random_bytes::<32>()?).await?;
    let key = TokenKey::from_bytes(key.try_into().map_err(|_| "the token key has 32 bytes")?);
    let (clock, options) = (Arc::new(SystemClock), SessionOptions::default());
    let sessions = Arc::new(TieredSessions::new(store.clone(), live.clone(), clock, key, options));
    let book = Arc::new(CallBook::new(100_000));
    let gate: Arc<dyn Gate> =
        Arc::new(PlainGate::new(sessions.clone(), live.clone(), live.clone(), book.clone()));
    let hasher = Arc::new(BcryptHasher::new(12, 64).await?);
    let policy = |name: &str, quota| -> Result<_, Box<dyn Error>> {
        let minute = Window::new(Quota::new(quota)?, Duration::from_secs(60))?;
        Ok(Arc::new(Policy::new(PolicyName::new(name)?, ApiName::new(name)?, vec![minute])?))
    };

    // Its routes, and a bar for a route of one's own.
    let ping = policy("ping", 2)?;
    let services = Services {
        signup: Arc::new(Signup::new(store.clone(), hasher.clone(), 7)),
        login: Arc::new(Login::new(store.clone(), hasher, sessions.clone())),
        logout: Arc::new(Logout::new(sessions)),
        ping: Arc::new(Ping::new(gate.clone(), ping.clone(), Duration::ZERO)),
        counts: Arc::new(CallCounts::new(live.clone(), ping.api().clone())),
        readiness: Arc::new(Readiness::new(store.clone(), live.clone())),
        body_timeout: Duration::from_secs(10),
        shutdown: Shutdown::default(),
    };
    let guard = Guard::new(gate, policy("orders", 10)?);

    // What was counted is written once a second.
    let incarnation = Incarnation::from_bytes(random_bytes()?);
    let every = FlusherOptions { every: Duration::from_secs(1), last: Duration::from_secs(10) };
    let flusher = CountFlusher::new(book, store, live, incarnation, every);
    let stop = tokio_util::sync::CancellationToken::new();
    let flushing = tokio::spawn(flusher.run(stop.clone()));

    HttpServer::new(move || {
        App::new()
            .wrap(from_fn(request_span))
            .route("/", web::get().to(|| async { "an app with a bar" }))
            .service(web::scope("/toll").configure(configure(services.clone())))
            .service(web::resource("/orders").app_data(guard.clone()).route(web::get().to(orders)))
    })
    .bind("127.0.0.1:8081")?
    .run()
    .await?;

    stop.cancel();
    flushing.await?;
    Ok(())
}
