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
use tokio_postgres::{Config, NoTls};

use crate::PgOptions;

/// A pool that opens connections when they are needed first.
pub(crate) fn pool(
    config: Config,
    options: &PgOptions,
    home: Handle,
) -> Result<Pool<AsyncPgConnection>, BuildError> {
    let (deadline, max_age) = (options.deadline, options.max_age);
    let mut manager = ManagerConfig::default();
    // A connection that has closed is noticed without a round trip; another fault costs the one call that meets it.
    manager.recycling_method = RecyclingMethod::Fast;
    manager.custom_setup = Box::new(move |_url| {
        let (config, home) = (config.clone(), home.clone());
        Box::pin(async move {
            // A socket lives on the runtime that opens it, and the caller's may end before the connection.
            let opening = home.spawn(connect_within(config, deadline));
            opening.await.unwrap_or_else(|gone| Err(ConnectionError::BadConnection(gone.to_string())))
        })
    });
    // The URL is in `config`; what is passed here is never read.
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

async fn connect_within(config: Config, deadline: Duration) -> ConnectionResult<AsyncPgConnection> {
    let opening = async {
        let mut connection = connect(&config).await?;
        // Below the deadline: a statement whose caller has given up does not run on. And a transaction that waits for its next
        // statement for longer than any caller does is of a process that hangs; it must not keep its locks.
        let (statement, idle) = (statement_timeout(deadline), milliseconds(deadline));
        let limits =
            format!("SET statement_timeout = {statement}; SET idle_in_transaction_session_timeout = {idle}");
        let set_up = connection.batch_execute(&limits).await;
        set_up.map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(connection)
    };
    let late = || ConnectionError::BadConnection(format!("no connection within {deadline:?}"));
    tokio::time::timeout(deadline, opening).await.unwrap_or_else(|_| Err(late()))
}

/// Opens a connection whose statements take what time they need.
pub(crate) async fn connect(config: &Config) -> ConnectionResult<AsyncPgConnection> {
    let (client, connection) =
        config.connect(NoTls).await.map_err(|error| ConnectionError::BadConnection(in_one_line(&error)))?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
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
