//! Port `ProcessLease`: rows that lapse by the database's clock.

use std::time::Duration;

use async_trait::async_trait;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, IntoSql, QueryDsl, QueryResult,
    dsl::exists,
    sql_types::{BigInt, Binary, Bool},
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use tollbar_core::{
    StoreError,
    domain::Incarnation,
    ports::{LeaseError, ProcessLease, Sharing},
};

use crate::{PgStore, schema::processes};

/// The longest entry, well within what a timestamp can hold.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

#[async_trait]
impl ProcessLease for PgStore {
    async fn hold(&self, process: Incarnation, sharing: Sharing, ttl: Duration) -> Result<u32, LeaseError> {
        let alone = sharing == Sharing::Alone;
        let ttl = i64::try_from(ttl.min(LONGEST).as_micros()).unwrap_or(i64::MAX);
        let entered = self.call_vital("hold the database", self.options.deadline, async |connection| {
            connection
                .transaction(async |connection| {
                    // One at a time, so that of two that come together one finds the other.
                    connection.batch_execute("LOCK TABLE processes IN SHARE ROW EXCLUSIVE MODE").await?;
                    forget_lapsed(connection).await?;
                    if is_taken(connection, process, alone).await? {
                        return Ok(None);
                    }
                    enter(connection, process, alone, ttl).await?;
                    processes::table.count().get_result::<i64>(connection).await.map(Some)
                })
                .await
        });
        let processes = entered.await?.ok_or(LeaseError::Taken)?;
        Ok(u32::try_from(processes).unwrap_or(u32::MAX))
    }

    async fn release(&self, process: Incarnation) -> Result<(), StoreError> {
        self.call_vital("release the database", self.options.deadline, async |connection| {
            let own = processes::table.find(process.as_bytes().as_slice());
            diesel::delete(own).execute(connection).await.map(drop)
        })
        .await
    }
}

async fn forget_lapsed(connection: &mut AsyncPgConnection) -> QueryResult<()> {
    // Not now(), which is when the transaction began: it may have waited for the lock since.
    diesel::sql_query("DELETE FROM processes WHERE expires_at <= clock_timestamp()")
        .execute(connection)
        .await
        .map(drop)
}

/// Whether another process is there and one of the two must be alone.
async fn is_taken(
    connection: &mut AsyncPgConnection,
    process: Incarnation,
    alone: bool,
) -> QueryResult<bool> {
    let others = processes::table
        .filter(processes::incarnation.ne(process.as_bytes().as_slice()))
        .filter(processes::alone.or(alone.into_sql::<Bool>()));
    diesel::select(exists(others)).get_result(connection).await
}

async fn enter(
    connection: &mut AsyncPgConnection,
    process: Incarnation,
    alone: bool,
    ttl: i64,
) -> QueryResult<()> {
    diesel::sql_query(
        "INSERT INTO processes (incarnation, alone, expires_at) \
         VALUES ($1, $2, clock_timestamp() + $3 * interval '1 microsecond') \
         ON CONFLICT (incarnation) DO UPDATE SET alone = EXCLUDED.alone, expires_at = EXCLUDED.expires_at",
    )
    .bind::<Binary, _>(process.as_bytes().as_slice())
    .bind::<Bool, _>(alone)
    .bind::<BigInt, _>(ttl)
    .execute(connection)
    .await
    .map(drop)
}
