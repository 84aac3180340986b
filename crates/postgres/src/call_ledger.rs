//! Port `CallLedger`: the durable totals of calls.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, QueryDsl, QueryResult,
    dsl::sql,
    sql_types::{Array, BigInt, Bool, Text},
    upsert::excluded,
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use tollbar_core::{
    StoreError,
    domain::{ApiName, Epoch, Incarnation, Tally, UserId},
    ports::{CallLedger, TallyKey},
};

use crate::{
    PgStore,
    connect::statement_timeout,
    failure::damaged,
    schema::{call_totals, flushed_epochs},
    sums::{self, Columns},
};

/// A row of `call_totals`.
#[derive(diesel::Queryable, diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    api: String,
    #[diesel(sql_type = BigInt)]
    user_id: i64,
    #[diesel(sql_type = BigInt)]
    calls: i64,
}

#[async_trait]
impl CallLedger for PgStore {
    async fn add(
        &self,
        incarnation: Incarnation,
        epoch: Epoch,
        sums: &[Tally],
    ) -> Result<Vec<Tally>, StoreError> {
        const OPERATION: &str = "add to the ledger";
        let too_large = |error| StoreError::permanent(OPERATION, error);
        let epoch = i64::try_from(epoch.get()).map_err(too_large)?;
        let chunks = &sums::columns(sums).map_err(too_large)?;
        let deadline = self.options.ledger_deadline;
        self.call(OPERATION, deadline, async |connection| {
            connection
                .transaction(async |connection| {
                    let limit = statement_timeout(deadline);
                    connection.batch_execute(&format!("SET LOCAL statement_timeout = {limit}")).await?;
                    let new = note_epoch(connection, incarnation, epoch).await?;
                    let mut totals = Vec::new();
                    for chunk in chunks {
                        let rows =
                            if new { add(connection, chunk).await } else { named(connection, chunk).await };
                        for row in &rows? {
                            totals.push(tally(row)?);
                        }
                    }
                    Ok(totals)
                })
                .await
        })
        .await
    }

    async fn totals(&self, after: Option<TallyKey>, limit: usize) -> Result<Vec<Tally>, StoreError> {
        let after = &after;
        self.call("read the ledger", self.options.ledger_deadline, async |connection| {
            let mut page = call_totals::table
                .order((call_totals::api, call_totals::user_id))
                .limit(i64::try_from(limit).unwrap_or(i64::MAX))
                .into_boxed();
            if let Some((api, user)) = after {
                // A comparison of rows, which the index serves; two comparisons joined by OR would read all before them.
                page = page.filter(
                    sql::<Bool>("(api, user_id) > (")
                        .bind::<Text, _>(api.as_str())
                        .sql(", ")
                        .bind::<BigInt, _>(user.as_i64())
                        .sql(")"),
                );
            }
            let rows = page.load::<Row>(connection).await?;
            rows.iter().map(tally).collect()
        })
        .await
    }
}

/// Notes the epoch, unless this or a later one of the incarnation is noted already. Whether it did. Of two at once, the second
/// waits for the first and then finds it noted.
async fn note_epoch(connection: &mut AsyncPgConnection, of: Incarnation, epoch: i64) -> QueryResult<bool> {
    use diesel::query_dsl::methods::FilterDsl;

    let noted = diesel::insert_into(flushed_epochs::table)
        .values((flushed_epochs::incarnation.eq(of.as_bytes().as_slice()), flushed_epochs::epoch.eq(epoch)))
        .on_conflict(flushed_epochs::incarnation)
        .do_update()
        .set((
            flushed_epochs::epoch.eq(excluded(flushed_epochs::epoch)),
            flushed_epochs::flushed_at.eq(excluded(flushed_epochs::flushed_at)),
        ))
        .filter(flushed_epochs::epoch.lt(excluded(flushed_epochs::epoch)))
        .execute(connection)
        .await?;
    Ok(noted == 1)
}

/// Adds to the totals and returns them.
async fn add(connection: &mut AsyncPgConnection, sums: &Columns<'_>) -> QueryResult<Vec<Row>> {
    diesel::sql_query(
        "INSERT INTO call_totals (api, user_id, calls) SELECT * FROM unnest($1, $2, $3) \
         ON CONFLICT (api, user_id) DO UPDATE SET calls = call_totals.calls + EXCLUDED.calls \
         RETURNING api, user_id, calls",
    )
    .bind::<Array<Text>, _>(&sums.apis)
    .bind::<Array<BigInt>, _>(&sums.users)
    .bind::<Array<BigInt>, _>(&sums.calls)
    .load(connection)
    .await
}

/// Reads the totals that the sums name; none is zero.
async fn named(connection: &mut AsyncPgConnection, sums: &Columns<'_>) -> QueryResult<Vec<Row>> {
    diesel::sql_query(
        "SELECT named.api, named.user_id, coalesce(totals.calls, 0) AS calls \
         FROM unnest($1, $2) AS named (api, user_id) \
         LEFT JOIN call_totals AS totals ON totals.api = named.api AND totals.user_id = named.user_id",
    )
    .bind::<Array<Text>, _>(&sums.apis)
    .bind::<Array<BigInt>, _>(&sums.users)
    .load(connection)
    .await
}

fn tally(row: &Row) -> QueryResult<Tally> {
    Ok(Tally {
        api: ApiName::new(&row.api).map_err(damaged)?,
        user: UserId::try_from(row.user_id).map_err(damaged)?,
        calls: u64::try_from(row.calls).map_err(damaged)?,
    })
}
