//! Port `CallLedger`: the durable totals of calls.

use std::time::Duration;

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, QueryDsl, QueryResult,
    dsl::sql,
    sql_query,
    sql_types::{Array, BigInt, Bool, Text},
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use tollbar_core::{
    StoreError,
    domain::{Activity, ApiName, Caller, Digest, Epoch, EpochId, EpochSums, Incarnation, Tally, UserId},
    ports::{Added, CallLedger, TallyKey},
};

use crate::{
    PgStore, activity,
    connect::{milliseconds, statement_timeout},
    failure::damaged,
    incarnations::{self, Noted},
    schema::call_totals,
    sums::{self, Columns},
};

/// The totals of one user. The ledger is in the order of APIs, and then of users: from each API to the next there is one step, however many users
/// it has.
const OF_USER: &str = "WITH RECURSIVE names (api) AS (
    SELECT min(api) FROM call_totals
    UNION ALL
    SELECT (SELECT min(later.api) FROM call_totals later WHERE later.api > names.api) FROM names WHERE names.api IS NOT NULL
)
SELECT own.api AS api, own.user_id AS user_id, own.calls AS calls
FROM names JOIN call_totals own ON own.api = names.api AND own.user_id = $1 ORDER BY own.api";

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
    async fn begin(&self, incarnation: Incarnation, process: Incarnation) -> Result<(), StoreError> {
        self.call_vital("begin an incarnation", self.options.deadline, async |connection| {
            incarnations::begin(connection, incarnation, process).await
        })
        .await
    }

    async fn add(&self, id: EpochId, sums: &EpochSums) -> Result<Added, StoreError> {
        const OPERATION: &str = "add to the ledger";
        let too_large = |error| StoreError::permanent(OPERATION, error);
        let epoch = i64::try_from(id.epoch.get()).map_err(too_large)?;
        let chunks = &sums::columns(&sums.tallies).map_err(too_large)?;
        let digest = &digest(OPERATION, &sums.activity).await?;
        let deadline = self.options.ledger_deadline;
        self.call_vital(OPERATION, deadline, async |connection| {
            connection
                .transaction(async |connection| {
                    take_time(connection, deadline).await?;
                    let new = match incarnations::note(connection, id.incarnation, epoch).await? {
                        Noted::Closed => return Ok(Added::Closed),
                        Noted::Now => true,
                        Noted::Before => false,
                    };
                    let mut totals = Vec::new();
                    for chunk in chunks {
                        let rows =
                            if new { add(connection, chunk).await } else { named(connection, chunk).await };
                        for row in &rows? {
                            totals.push(tally(row)?);
                        }
                    }
                    if new {
                        activity::add(connection, digest).await?;
                    }
                    Ok(Added::Totals(totals))
                })
                .await
        })
        .await
    }

    async fn say_behind(&self, incarnation: Incarnation, behind: bool) -> Result<(), StoreError> {
        self.call("say that live counts are behind", self.options.deadline, async |connection| {
            incarnations::say_behind(connection, incarnation, behind).await
        })
        .await
    }

    async fn is_any_behind(&self) -> Result<bool, StoreError> {
        self.call("ask whether live counts are behind", self.options.deadline, async |connection| {
            incarnations::is_any_behind(connection).await
        })
        .await
    }

    async fn orphans(&self) -> Result<Vec<Incarnation>, StoreError> {
        self.call("look for orphans", self.options.deadline, async |connection| {
            incarnations::orphans(connection).await
        })
        .await
    }

    async fn last_added(&self, incarnation: Incarnation) -> Result<Option<Epoch>, StoreError> {
        self.call("read an incarnation", self.options.deadline, async |connection| {
            incarnations::last_added(connection, incarnation).await
        })
        .await
    }

    async fn close(&self, incarnation: Incarnation, epochs: &[(Epoch, EpochSums)]) -> Result<(), StoreError> {
        const OPERATION: &str = "close an incarnation";
        let mut digests = Vec::with_capacity(epochs.len());
        for (epoch, sums) in epochs {
            digests.push((*epoch, digest(OPERATION, &sums.activity).await?));
        }
        let (deadline, digests) = (self.options.ledger_deadline, &digests);
        self.call_vital(OPERATION, deadline, async |connection| {
            connection
                .transaction(async |connection| {
                    take_time(connection, deadline).await?;
                    let Some(last) = incarnations::close(connection, incarnation).await? else {
                        return Ok(());
                    };
                    let is_later = |epoch: Epoch| i64::try_from(epoch.get()).is_ok_and(|epoch| epoch > last);
                    // All totals, then the rest, as every flush takes them.
                    let later = epochs.iter().filter(|(epoch, _)| is_later(*epoch));
                    let sums = Tally::sums(later.flat_map(|(_, sums)| &sums.tallies));
                    for chunk in sums::columns(&sums).map_err(damaged)? {
                        add(connection, &chunk).await?;
                    }
                    let later = digests.iter().filter(|(epoch, _)| is_later(*epoch));
                    activity::add(connection, &Digest::all_of(later.map(|(_, digest)| digest))).await
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

    async fn top(&self, api: &ApiName, limit: usize) -> Result<Vec<Caller>, StoreError> {
        self.call("read the top of the ledger", self.options.deadline, async |connection| {
            let best = call_totals::table
                .filter(call_totals::api.eq(api.as_str()))
                .order((call_totals::calls.desc(), call_totals::user_id))
                .limit(i64::try_from(limit).unwrap_or(i64::MAX));
            let rows = best.load::<Row>(connection).await?;
            let caller = |row| tally(row).map(|tally| Caller { user: tally.user, calls: tally.calls });
            rows.iter().map(caller).collect()
        })
        .await
    }

    async fn distinct(&self, api: &ApiName) -> Result<u64, StoreError> {
        self.call("count the callers in the ledger", self.options.deadline, async |connection| {
            let callers = call_totals::table.filter(call_totals::api.eq(api.as_str())).count();
            u64::try_from(callers.get_result::<i64>(connection).await?).map_err(damaged)
        })
        .await
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Tally>, StoreError> {
        self.call("read the calls of a user", self.options.deadline, async |connection| {
            let rows = sql_query(OF_USER).bind::<BigInt, _>(user.as_i64()).load::<Row>(connection).await?;
            rows.iter().map(tally).collect()
        })
        .await
    }
}

/// Gives the statements of this transaction the time that the ledger has.
pub(crate) async fn take_time(connection: &mut AsyncPgConnection, deadline: Duration) -> QueryResult<()> {
    let (statement, idle) = (statement_timeout(deadline), milliseconds(deadline));
    let limits = format!(
        "SET LOCAL statement_timeout = {statement}; SET LOCAL idle_in_transaction_session_timeout = {idle}"
    );
    connection.batch_execute(&limits).await
}

/// Before a transaction: with many callers it is work.
async fn digest(operation: &'static str, activity: &[Activity]) -> Result<Digest, StoreError> {
    let activity = activity.to_vec();
    let digested = tokio::task::spawn_blocking(move || Digest::of(&activity)).await;
    digested.map_err(|panic| StoreError::permanent(operation, panic))
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
