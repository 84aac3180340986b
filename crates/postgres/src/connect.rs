//! How one connection is opened: on the runtime that the store was opened on, whoever asks.

use std::{error::Error, time::Duration};

use deadpool::{Runtime, managed::Timeouts};
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{
    AsyncPgConnection, SimpleAsyncConnection,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{BuildError, Hook, HookError, Pool},
    },
};
use tokio::runtime::Handle;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{PgOptions, pooled};

/// Where to connect to, and how.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) config: Config,
    pub(crate) tls: MakeRustlsConnect,
    /// Whether a pooler lends us connections by transaction.
    pub(crate) pooler: bool,
}

/// What is said, before how long, of a server that lets nobody in and turns nobody away.
pub(crate) const LATE: &str = "no connection within";

/// A pool that opens connections when they are needed first.
pub(crate) fn pool(
    route: Route,
    options: &PgOptions,
    home: Handle,
) -> Result<Pool<AsyncPgConnection>, BuildError> {
    let (deadline, max_age) = (options.deadline, options.max_age);
    let mut manager = ManagerConfig::default();
    // A connection that has closed is noticed without a round trip; another fault costs the one call that meets it.
    manager.recycling_method = RecyclingMethod::Fast;
    manager.custom_setup = Box::new(move |_url| {
        let (route, home) = (route.clone(), home.clone());
        Box::pin(async move {
            // A socket lives on the runtime that opens it, and the caller's may end before the connection.
            let opening = home.spawn(connect_within(route, deadline));
            opening.await.unwrap_or_else(|gone| Err(ConnectionError::BadConnection(gone.to_string())))
        })
    });
    // The URL is in `route`; what is passed here is never read.
    let manager = AsyncDieselConnectionManager::new_with_config("", manager);
    let too_old = Hook::sync_fn(move |_, metrics| {
        if metrics.age() > max_age { Err(HookError::message("the connection is old")) } else { Ok(()) }
    });
    Pool::builder(manager)
        .max_size(options.pool_size.get())
        .pre_recycle(too_old)
        .runtime(Runtime::Tokio1)
        // Waiting is bounded by the deadline of each call, which may be longer than this one.
        .timeouts(Timeouts { wait: None, create: Some(deadline), recycle: Some(deadline) })
        .build()
}

async fn connect_within(route: Route, deadline: Duration) -> ConnectionResult<AsyncPgConnection> {
    let opening = async {
        let mut connection = connect(&route).await?;
        if route.pooler {
            // What is set for a session would be lost, or be another's: each transaction has its limits.
            return Ok(connection);
        }
        // Below the deadline: a statement whose caller has given up does not run on. And a transaction that waits for its next
        // statement for longer than any caller does is of a process that hangs; it must not keep its locks.
        let (statement, idle) = (statement_timeout(deadline), milliseconds(deadline));
        let limits =
            format!("SET statement_timeout = {statement}; SET idle_in_transaction_session_timeout = {idle}");
        let set_up = connection.batch_execute(&limits).await;
        set_up.map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(connection)
    };
    let late = || ConnectionError::BadConnection(format!("{LATE} {deadline:?}"));
    tokio::time::timeout(deadline, opening).await.unwrap_or_else(|_| Err(late()))
}

/// Opens a connection whose statements take what time they need.
pub(crate) async fn connect(route: &Route) -> ConnectionResult<AsyncPgConnection> {
    let failed = |error: tokio_postgres::Error| ConnectionError::BadConnection(in_one_line(&error));
    let (client, mut connection) = route.config.connect(route.tls.clone()).await.map_err(failed)?;
    if !route.pooler {
        return AsyncPgConnection::try_from_client_and_connection(client, connection).await;
    }
    pooled::begin(&client, &mut connection).await.map_err(failed)?;
    let mut connection = AsyncPgConnection::try_from_client_and_connection(client, connection).await?;
    pooled::forget_statements(&mut connection);
    let committed = connection.batch_execute("COMMIT").await;
    committed.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// What the server is told, in milliseconds, so that it gives up before we do.
pub(crate) fn statement_timeout(deadline: Duration) -> i32 {
    milliseconds(deadline.mul_f64(0.9))
}

/// A time as the server takes it; zero would mean none.
pub(crate) fn milliseconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX).max(1)
}

/// An error with its causes: Diesel keeps only text here.
fn in_one_line(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line = format!("{line}: {cause}");
        source = cause.source();
    }
    line
}
