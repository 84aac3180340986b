//! Port `CallLedger`: the durable totals of calls.

use async_trait::async_trait;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, QueryableByName,
    RunQueryDsl, SqliteConnection,
    dsl::sql,
    sql_query,
    sql_types::{BigInt, Bool, Text},
};
use tollbar_core::{
    StoreError,
    domain::{Activity, ApiName, Caller, Digest, Epoch, EpochId, EpochSums, Incarnation, Tally, UserId},
    ports::{Added, CallLedger, TallyKey},
};

use crate::{
    SqliteStore, activity,
    failure::damaged,
    incarnations::{self, Noted},
    schema::call_totals,
};

/// How many rows one statement takes: little enough for its parameter to be small.
const CHUNK: usize = 10_000;

/// The totals of one user. The ledger is in the order of APIs, and then of users: from each API to the next there is one step, however many users
/// it has.
const OF_USER: &str = "WITH RECURSIVE names (api) AS (
    SELECT min(api) FROM call_totals
    UNION ALL
    SELECT (SELECT min(later.api) FROM call_totals later WHERE later.api > names.api) FROM names WHERE names.api IS NOT NULL
)
SELECT own.api AS api, own.user_id AS user_id, own.calls AS calls
FROM names JOIN call_totals own ON own.api = names.api AND own.user_id = ? ORDER BY own.api";

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
    async fn begin(&self, incarnation: Incarnation, process: Incarnation) -> Result<(), StoreError> {
        let begin = move |connection: &mut _| incarnations::begin(connection, incarnation, process);
        self.write_vital("begin an incarnation", self.options.deadline, begin).await
    }

    async fn add(&self, id: EpochId, sums: &EpochSums) -> Result<Added, StoreError> {
        const OPERATION: &str = "add to the ledger";
        let epoch = number(OPERATION, id.epoch.get())?;
        let (rows, digest) = (rows(OPERATION, &sums.tallies)?, digest(OPERATION, &sums.activity).await?);
        self.write_vital(OPERATION, self.options.ledger_deadline, move |connection| match incarnations::note(
            connection,
            id.incarnation,
            epoch,
        )? {
            Noted::Closed => Ok(Added::Closed),
            Noted::Now => {
                let totals = add(connection, &rows)?;
                activity::add(connection, &digest)?;
                Ok(Added::Totals(totals))
            }
            Noted::Before => {
                let as_it_stands = |(sum, _): (Tally, i64)| {
                    let calls = u64::try_from(total(connection, &sum)?).map_err(damaged)?;
                    Ok(Tally { calls, ..sum })
                };
                rows.into_iter().map(as_it_stands).collect::<QueryResult<_>>().map(Added::Totals)
            }
        })
        .await
    }

    async fn say_behind(&self, incarnation: Incarnation, behind: bool) -> Result<(), StoreError> {
        let say = move |connection: &mut _| incarnations::say_behind(connection, incarnation, behind);
        self.write("say that live counts are behind", self.options.deadline, say).await
    }

    async fn is_any_behind(&self) -> Result<bool, StoreError> {
        let ask = incarnations::is_any_behind;
        self.read("ask whether live counts are behind", self.options.deadline, ask).await
    }

    async fn orphans(&self) -> Result<Vec<Incarnation>, StoreError> {
        self.read("look for orphans", self.options.deadline, incarnations::orphans).await
    }

    async fn last_added(&self, incarnation: Incarnation) -> Result<Option<Epoch>, StoreError> {
        let read = move |connection: &mut _| incarnations::last_added(connection, incarnation);
        self.read("read an incarnation", self.options.deadline, read).await
    }

    async fn close(&self, incarnation: Incarnation, epochs: &[(Epoch, EpochSums)]) -> Result<(), StoreError> {
        const OPERATION: &str = "close an incarnation";
        let mut added = Vec::with_capacity(epochs.len());
        for (epoch, sums) in epochs {
            let epoch = number(OPERATION, epoch.get())?;
            added.push((epoch, rows(OPERATION, &sums.tallies)?, digest(OPERATION, &sums.activity).await?));
        }
        self.write_vital(OPERATION, self.options.ledger_deadline, move |connection| {
            let Some(last) = incarnations::close(connection, incarnation)? else { return Ok(()) };
            for (_, rows, digest) in added.iter().filter(|(epoch, ..)| *epoch > last) {
                add(connection, rows)?;
                activity::add(connection, digest)?;
            }
            Ok(())
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

    async fn top(&self, api: &ApiName, limit: usize) -> Result<Vec<Caller>, StoreError> {
        let api = api.as_str().to_owned();
        self.read("read the top of the ledger", self.options.deadline, move |connection| {
            let best = call_totals::table
                .filter(call_totals::api.eq(api))
                .order((call_totals::calls.desc(), call_totals::user_id))
                .limit(i64::try_from(limit).unwrap_or(i64::MAX));
            let caller = |row| tally(row).map(|tally| Caller { user: tally.user, calls: tally.calls });
            best.load::<Row>(connection)?.into_iter().map(caller).collect()
        })
        .await
    }

    async fn distinct(&self, api: &ApiName) -> Result<u64, StoreError> {
        let api = api.as_str().to_owned();
        self.read("count the callers in the ledger", self.options.deadline, move |connection| {
            let callers = call_totals::table.filter(call_totals::api.eq(api)).count();
            u64::try_from(callers.get_result::<i64>(connection)?).map_err(damaged)
        })
        .await
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Tally>, StoreError> {
        self.read("read the calls of a user", self.options.deadline, move |connection| {
            let rows = sql_query(OF_USER).bind::<BigInt, _>(user.as_i64()).load::<Total>(connection)?;
            rows.into_iter().map(|Total { api, user_id, calls }| tally((api, user_id, calls))).collect()
        })
        .await
    }
}

fn number(operation: &'static str, number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|error| StoreError::permanent(operation, error))
}

/// Each sum, with its calls as the file takes them.
/// Before a transaction: with many callers it is work.
async fn digest(operation: &'static str, activity: &[Activity]) -> Result<Digest, StoreError> {
    let activity = activity.to_vec();
    let digested = tokio::task::spawn_blocking(move || Digest::of(&activity)).await;
    digested.map_err(|panic| StoreError::permanent(operation, panic))
}

fn rows(operation: &'static str, sums: &[Tally]) -> Result<Vec<(Tally, i64)>, StoreError> {
    sums.iter().map(|sum| Ok((sum.clone(), number(operation, sum.calls)?))).collect()
}

/// Adds to totals and returns them. One statement for many rows: the library would have SQLite parse an insertion anew for each.
fn add(connection: &mut SqliteConnection, sums: &[(Tally, i64)]) -> QueryResult<Vec<Tally>> {
    let mut totals = Vec::with_capacity(sums.len());
    for chunk in sums.chunks(CHUNK) {
        totals.extend(add_chunk(connection, chunk)?);
    }
    Ok(totals)
}

fn add_chunk(connection: &mut SqliteConnection, sums: &[(Tally, i64)]) -> QueryResult<Vec<Tally>> {
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
