//! Port `CallHistory`: what became of calls, by time.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl, SqliteConnection, sql_query,
    sql_types::{BigInt, Integer},
};
use tollbar_core::{
    StoreError,
    domain::{ApiName, Outcomes, SketchSpan, Sketches, Step, Timestamp},
    ports::CallHistory,
};

use crate::{
    SqliteStore,
    activity::seconds,
    failure::damaged,
    schema::{call_series, call_sketches},
};

/// A row of `call_series`: its beginning, and the numbers of each outcome.
type Row = (i64, i64, i64, i64, i64);

#[async_trait]
impl CallHistory for SqliteStore {
    async fn series(
        &self,
        api: &ApiName,
        step: Step,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(Timestamp, Outcomes)>, StoreError> {
        let api = api.as_str().to_owned();
        self.read("read the history of calls", self.options.deadline, move |connection| {
            call_series::table
                .filter(call_series::api.eq(api))
                .filter(call_series::step.eq(seconds(step.seconds())?))
                .filter(call_series::start.ge(from.as_micros_i64()))
                .filter(call_series::start.lt(until.as_micros_i64()))
                .order(call_series::start)
                .select((
                    call_series::start,
                    call_series::admitted,
                    call_series::limited,
                    call_series::repeated,
                    call_series::refused,
                ))
                .load::<Row>(connection)?
                .into_iter()
                .map(point)
                .collect()
        })
        .await
    }

    async fn sketches(
        &self,
        api: &ApiName,
        span: SketchSpan,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Sketches>, StoreError> {
        let api = api.clone();
        self.read("read who called", self.options.deadline, move |connection| {
            let kept = call_sketches::table
                .filter(call_sketches::api.eq(api.as_str()))
                .filter(call_sketches::span.eq(seconds(span.seconds())?))
                .filter(call_sketches::start.ge(from.as_micros_i64()))
                .filter(call_sketches::start.lt(until.as_micros_i64()))
                .select(call_sketches::sketches)
                .load::<Vec<u8>>(connection)?;
            Ok(kept.iter().filter_map(|kept| Sketches::of_kept(kept, &api)).collect())
        })
        .await
    }

    async fn apis(&self) -> Result<Vec<ApiName>, StoreError> {
        self.read("list the APIs that were called", self.options.deadline, |connection| {
            let names = call_series::table
                .filter(call_series::step.eq(seconds(Step::Day.seconds())?))
                .select(call_series::api)
                .distinct()
                .order(call_series::api)
                .load::<String>(connection)?;
            names.iter().map(|name| ApiName::new(name).map_err(damaged)).collect()
        })
        .await
    }

    async fn prune(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write("forget the history of calls", self.options.ledger_deadline, move |connection| {
            for step in Step::ALL {
                delete(connection, "call_series WHERE step", step.seconds(), now, step.kept())?;
            }
            for span in SketchSpan::ALL {
                if let Some(kept) = span.kept() {
                    delete(connection, "call_sketches WHERE span", span.seconds(), now, kept)?;
                }
            }
            Ok(())
        })
        .await
    }
}

/// Deletes rows of this length that began too long before whichever time is earlier, this one or the system's.
fn delete(
    connection: &mut SqliteConnection,
    of: &str,
    length: u64,
    now: Timestamp,
    kept: std::time::Duration,
) -> QueryResult<()> {
    let query = format!(
        "DELETE FROM {of} = ? AND start < min(?, cast(unixepoch('subsec') * 1000000 AS INTEGER)) - ?"
    );
    sql_query(query)
        .bind::<Integer, _>(seconds(length)?)
        .bind::<BigInt, _>(now.as_micros_i64())
        .bind::<BigInt, _>(i64::try_from(kept.as_micros()).map_err(damaged)?)
        .execute(connection)
        .map(drop)
}

fn point((start, admitted, limited, repeated, refused): Row) -> QueryResult<(Timestamp, Outcomes)> {
    let number = |number: i64| u64::try_from(number).map_err(damaged);
    let outcomes = Outcomes {
        admitted: number(admitted)?,
        limited: number(limited)?,
        repeated: number(repeated)?,
        refused: number(refused)?,
    };
    Ok((Timestamp::from_micros(number(start)?), outcomes))
}
