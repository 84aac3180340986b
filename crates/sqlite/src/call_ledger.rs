//! Port `CallLedger`: the durable totals of calls.

use async_trait::async_trait;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, QueryableByName,
    RunQueryDsl, SqliteConnection,
    dsl::sql,
    sql_query,
    sql_types::{BigInt, Bool, Text},
    upsert::excluded,
};
use tollbar_core::{
    StoreError,
    domain::{ApiName, Epoch, Incarnation, Tally, UserId},
    ports::{CallLedger, TallyKey},
};

use crate::{
    SqliteStore,
    failure::damaged,
    schema::{call_totals, flushed_epochs},
};

/// How many rows one statement takes: little enough for its parameter to be small.
const CHUNK: usize = 10_000;

/// A row of `call_totals`.
type Row = (String, i64, i64);

/// The same, as a statement in SQL answers it.
#[derive(QueryableByName)]
struct Total {
    #[diesel(sql_type = Text)]
    api: String,
    #[diesel(sql_type = BigInt)]
    user_id: i64,
    #[diesel(sql_type = BigInt)]
    calls: i64,
}

#[async_trait]
impl CallLedger for SqliteStore {
    async fn add(
        &self,
        incarnation: Incarnation,
        epoch: Epoch,
        sums: &[Tally],
    ) -> Result<Vec<Tally>, StoreError> {
        const OPERATION: &str = "add to the ledger";
        let number = |n: u64| i64::try_from(n).map_err(|error| StoreError::permanent(OPERATION, error));
        let epoch = number(epoch.get())?;
        let mut rows = Vec::with_capacity(sums.len());
        for sum in sums {
            rows.push((sum.clone(), number(sum.calls)?));
        }
        self.write(OPERATION, self.options.ledger_deadline, move |connection| {
            let new = note_epoch(connection, incarnation, epoch)?;
            if new {
                return rows.chunks(CHUNK).try_fold(Vec::new(), |mut totals, chunk| {
                    totals.extend(add(connection, chunk)?);
                    Ok(totals)
                });
            }
            let as_it_stands = |(sum, _): (Tally, i64)| {
                let calls = u64::try_from(total(connection, &sum)?).map_err(damaged)?;
                Ok(Tally { calls, ..sum })
            };
            rows.into_iter().map(as_it_stands).collect()
        })
        .await
    }

    async fn totals(&self, after: Option<TallyKey>, limit: usize) -> Result<Vec<Tally>, StoreError> {
        self.read("read the ledger", self.options.ledger_deadline, move |connection| {
            let mut page = call_totals::table
                .order((call_totals::api, call_totals::user_id))
                .limit(i64::try_from(limit).unwrap_or(i64::MAX))
                .into_boxed();
            if let Some((api, user)) = after {
                // A comparison of rows, which the index serves; two comparisons joined by OR would read all before them.
                page = page.filter(
                    sql::<Bool>("(api, user_id) > (")
                        .bind::<Text, _>(api.as_str().to_owned())
                        .sql(", ")
                        .bind::<BigInt, _>(user.as_i64())
                        .sql(")"),
                );
            }
            let rows = page.load::<Row>(connection)?;
            rows.into_iter().map(tally).collect()
        })
        .await
    }
}

/// Notes the epoch, unless this or a later one of the incarnation is noted already. Whether it did.
fn note_epoch(connection: &mut SqliteConnection, of: Incarnation, epoch: i64) -> QueryResult<bool> {
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
        .execute(connection)?;
    Ok(noted == 1)
}

/// Adds to totals and returns them. One statement for many rows: the library would have SQLite parse an insertion anew for each.
fn add(connection: &mut SqliteConnection, sums: &[(Tally, i64)]) -> QueryResult<Vec<Tally>> {
    // Names have nothing in them that JSON would escape.
    let rows: Vec<_> =
        sums.iter().map(|(sum, calls)| format!("[\"{}\",{},{calls}]", sum.api, sum.user)).collect();
    sql_query(
        "INSERT INTO call_totals (api, user_id, calls)
         SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE TRUE
         ON CONFLICT (api, user_id) DO UPDATE SET calls = calls + excluded.calls
         RETURNING api, user_id, calls",
    )
    .bind::<Text, _>(format!("[{}]", rows.join(",")))
    .load::<Total>(connection)?
    .into_iter()
    .map(|Total { api, user_id, calls }| tally((api, user_id, calls)))
    .collect()
}

/// Reads one total; none is zero.
fn total(connection: &mut SqliteConnection, sum: &Tally) -> QueryResult<i64> {
    let of = call_totals::api.eq(sum.api.as_str()).and(call_totals::user_id.eq(sum.user.as_i64()));
    let total = call_totals::table.filter(of).select(call_totals::calls).first(connection);
    Ok(total.optional()?.unwrap_or(0))
}

fn tally((api, user, calls): Row) -> QueryResult<Tally> {
    Ok(Tally {
        api: ApiName::new(&api).map_err(damaged)?,
        user: UserId::try_from(user).map_err(damaged)?,
        calls: u64::try_from(calls).map_err(damaged)?,
    })
}
