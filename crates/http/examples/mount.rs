//! Tollbar inside another app: its routes under `/toll`, and its bar in front of a route of the app's own.
//!
//! ```text
//! cargo run -p tollbar-http --example mount
//! curl -H 'Content-Type: application/json' -d '{"username":"ada","password":"pass123"}' localhost:8081/toll/signup
//! curl -H 'Content-Type: application/json' -d '{"username":"ada","password":"pass123"}' localhost:8081/toll/login
//! curl -i -H "Authorization: Bearer $TOKEN" localhost:8081/orders
//! ```

use std::{error::Error, sync::Arc, time::Duration};

use actix_web::{App, HttpServer, Responder, middleware::from_fn, web};
use tollbar_core::{
    Assembly, AssemblyOptions, DurableTier, LiveTier,
    domain::{ApiName, Incarnation, Policy, PolicyName, Quota, Window},
    policies::{PathPattern, Policies, PolicyTable, Rule, RuleOptions, Unmatched},
    ports::SystemClock,
    random_bytes,
    usecases::{Ping, Readiness},
};
use tollbar_http::{Bar, BarOptions, CurrentUser, Guard, Services, Shutdown, configure, request_span};
use tollbar_memory::{MemoryLive, MemoryOptions};
use tollbar_sqlite::{SqliteOptions, SqliteStore};

/// Runs for callers who are logged in and within ten calls a minute; each such call is counted.
async fn orders(caller: CurrentUser) -> impl Responder {
    format!("the orders of user {}", caller.user)
}

/// So many calls a minute and user on one path.
fn rule(name: &str, path: &str, quota: u32) -> Result<Rule, Box<dyn Error>> {
    let minute = Window::new(Quota::new(quota)?, Duration::from_secs(60))?;
    let policy = Policy::new(PolicyName::new(name)?, ApiName::new(name)?, vec![minute])?;
    Ok(Rule::new(RuleOptions::new(policy, PathPattern::new(path)?))?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Two tiers: any durable one goes with any live one.
    let store =
        Arc::new(SqliteStore::open(SqliteOptions::from_url("sqlite://data/mount-example.db")?).await?);
    let live = Arc::new(MemoryLive::new(Arc::new(SystemClock), MemoryOptions::default()));

    // The core over their ports.
    let (durable, process) = (DurableTier::of(store.clone()), Incarnation::from_bytes(random_bytes()?));
    let (clock, options) = (Arc::new(SystemClock), AssemblyOptions::default());
    let table =
        PolicyTable::new(vec![rule("ping", "/ping", 2)?, rule("orders", "/orders", 10)?], Unmatched::Deny)?;
    let assembly =
        Assembly::new(durable, LiveTier::of(live.clone()), clock, process, Policies::new(table), options);
    let Assembly { signup, login, logout, authorize, analytics, flusher, .. } = assembly.await?;

    // Its routes, and a bar for a route of one's own.
    let bar = Bar::new(authorize, BarOptions::default());
    let services = Services {
        signup,
        login,
        logout,
        bar: bar.clone(),
        ping: Arc::new(Ping::new(Duration::ZERO)),
        analytics,
        readiness: Arc::new(Readiness::new(store, live, Arc::new(SystemClock))),
        body_timeout: Duration::from_secs(10),
        shutdown: Shutdown::default(),
    };
    let guard = Guard::new(bar);

    // What was counted is written once a second.
    let stop = tokio_util::sync::CancellationToken::new();
    let flushing = tokio::spawn(flusher.run(stop.clone()));

    HttpServer::new(move || {
        App::new()
            .wrap(from_fn(request_span))
            .route("/", web::get().to(|| async { "an app with a bar" }))
            .service(web::scope("/toll").configure(configure(services.clone())))
            .service(web::resource("/orders").wrap(guard.clone()).route(web::get().to(orders)))
    })
    .bind("127.0.0.1:8081")?
    .run()
    .await?;

    stop.cancel();
    flushing.await?;
    Ok(())
}
