//! An axum app behind the bar, over SQLite and memory: no server but this one.
//!
//! ```text
//! cargo run -p tollbar-tower --example axum
//! curl -i -H "Authorization: Bearer $TOKEN" localhost:8082/orders/7   # with the token that it prints
//! ```

use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::{ConnectInfo, Path},
    routing::get,
};
use tollbar_core::{
    Assembly, AssemblyOptions, DurableTier, LiveTier,
    domain::{ApiName, Incarnation, Password, Policy, PolicyName, Quota, Username, Window},
    policies::{PathPattern, Policies, PolicyTable, Rule, RuleOptions, Unmatched, Whom},
    ports::SystemClock,
    random_bytes,
    usecases::SignupError,
};
use tollbar_memory::{MemoryLive, MemoryOptions};
use tollbar_sqlite::{SqliteOptions, SqliteStore};
use tollbar_tower::{Bar, BarLayer, BarOptions, CurrentUser};

/// Runs for callers who are logged in and within ten calls a minute; each such call is counted.
async fn order(Extension(caller): Extension<CurrentUser>, Path(id): Path<u64>) -> String {
    format!("order {id} of user {}\n", caller.user)
}

/// So many calls a minute on these paths.
fn policy(name: &str, path: &str, quota: u32) -> Result<RuleOptions, Box<dyn Error>> {
    let minute = Window::new(Quota::new(quota)?, Duration::from_secs(60))?;
    let policy = Policy::new(PolicyName::new(name)?, ApiName::new(name)?, vec![minute])?;
    Ok(RuleOptions::new(policy, PathPattern::new(path)?))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Two tiers: any durable one goes with any live one.
    let store =
        Arc::new(SqliteStore::open(SqliteOptions::from_url("sqlite://data/tower-example.db")?).await?);
    let live = Arc::new(MemoryLive::new(Arc::new(SystemClock), MemoryOptions::default()));

    // Users are limited on orders, and clients of whom nobody knows who they are on all else.
    let anybody = RuleOptions { whom: Whom::Address, session: false, ..policy("anybody", "/*", 60)? };
    let rules = vec![Rule::new(policy("orders", "/orders/{id}", 10)?)?, Rule::new(anybody)?];
    let policies = Policies::new(PolicyTable::new(rules, Unmatched::Deny)?);

    // The core over their ports.
    let (durable, process) = (DurableTier::of(store), Incarnation::from_bytes(random_bytes()?));
    let (clock, options) = (Arc::new(SystemClock), AssemblyOptions::default());
    let Assembly { signup, login, authorize, flusher, .. } =
        Assembly::new(durable, LiveTier::of(live), clock, process, policies, options).await?;
    let flushing = tokio::spawn(flusher.run(tokio_util::sync::CancellationToken::new()));

    // A user to try it with. An app of yours would call these two where it signs users up and logs them in.
    let (ada, password) = (Username::new("ada".to_owned())?, Password::new("pass-of-ada".to_owned())?);
    match signup.call(&ada, &password).await {
        Ok(_) | Err(SignupError::Taken) => {}
        Err(error) => return Err(error.into()),
    }
    let token = login.call(&ada, &password).await?.token.expose();

    let bar = BarLayer::new(Bar::new(authorize, BarOptions::default()))
        .with_peer(|extensions| extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip()));
    let app = Router::new()
        .route("/", get(async || "an app with a bar\n"))
        .route("/orders/{id}", get(order))
        .layer(bar);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8082").await?;
    // Written so that a line of a shell can take it.
    std::io::Write::write_all(&mut std::io::stdout(), format!("TOKEN={token}\n").as_bytes())?;
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    flushing.abort();
    Ok(())
}
