//! What a pooler in front of the server asks for: each of our transactions may be on another connection of its own.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use diesel::connection::CacheSize;
use diesel::{QueryResult, result::Error};
use diesel_async::{
    AnsiTransactionManager, AsyncConnection, AsyncPgConnection, SimpleAsyncConnection, TransactionManager,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::{Client, Connection};

use crate::connect::{milliseconds, statement_timeout};

/// Makes a call one transaction, whose limits end with it, and whose statements are closed before it does: PgBouncer
/// lends the connection out for just as long. Transactions within it become savepoints.
pub(crate) async fn transaction<T>(
    connection: &mut AsyncPgConnection,
    deadline: Duration,
    work: impl AsyncFnOnce(&mut AsyncPgConnection) -> QueryResult<T>,
) -> QueryResult<T> {
    let begin = format!(
        "BEGIN; SET LOCAL statement_timeout = {}; SET LOCAL idle_in_transaction_session_timeout = {}",
        statement_timeout(deadline),
        milliseconds(deadline)
    );
    if let Err(error) = AnsiTransactionManager::begin_transaction_sql(connection, &begin).await {
        // It may have begun all the same; where it has not, this is a warning.
        let _ = connection.batch_execute("ROLLBACK").await;
        return Err(error);
    }
    match work(connection).await {
        Ok(done) => AnsiTransactionManager::commit_transaction(connection).await.map(|()| done),
        Err(failed) => match AnsiTransactionManager::rollback_transaction(connection).await {
            Ok(()) | Err(Error::BrokenTransactionManager) => Err(failed),
            Err(error) => Err(error),
        },
    }
}

/// Lets no statement outlive its use: its name may be in use already on the next transaction's connection.
pub(crate) fn forget_statements(connection: &mut AsyncPgConnection) {
    connection.set_prepared_statement_cache_size(CacheSize::Disabled);
}

/// Begins the transaction in which Diesel sets a new connection up, by statements that have names.
pub(crate) async fn begin<S, T>(
    client: &Client,
    connection: &mut Connection<S, T>,
) -> Result<(), tokio_postgres::Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut begun = pin!(client.batch_execute("BEGIN"));
    let mut connection = pin!(connection);
    // Nobody else drives the connection yet.
    poll_fn(|context| match connection.as_mut().poll(context) {
        Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        _ => begun.as_mut().poll(context),
    })
    .await
}
