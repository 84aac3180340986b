//! Port `CallHistory`: what became of calls, by time.

use std::time::Duration;

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, QueryDsl, QueryResult, sql_query,
    sql_types::{BigInt, Integer},
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use tollbar_core::{
    StoreError,
    domain::{ApiName, Outcomes, SketchSpan, Sketches, Step, Timestamp},
    ports::CallHistory,
};

use crate::{
    PgStore,
    activity::seconds,
    call_ledger::take_time,
    failure::damaged,
    schema::{call_series, call_sketches},
};

const SERIES: &str = "call_series WHERE step";
const SKETCHES: &str = "call_sketches WHERE span";

/// A row of `call_series`: its beginning, and the numbers of each outcome.
type Row = (i64, i64, i64, i64, i64);

#[async_trait]
impl CallHistory for PgStore {
    async fn series(
        &self,
        api: &ApiName,
        step: Step,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<(Timestamp, Outcomes)>, StoreError> {
        self.call("read the history of calls", self.options.deadline, async |connection| {
            call_series::table
                .filter(call_series::api.eq(api.as_str()))
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
                .load::<Row>(connection)
                .await?
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
        self.call("read who called", self.options.deadline, async |connection| {
            let kept = call_sketches::table
                .filter(call_sketches::api.eq(api.as_str()))
                .filter(call_sketches::span.eq(seconds(span.seconds())?))
                .filter(call_sketches::start.ge(from.as_micros_i64()))
                .filter(call_sketches::start.lt(until.as_micros_i64()))
                .select(call_sketches::sketches)
                .load::<Vec<u8>>(connection)
                .await?;
            Ok(kept.iter().filter_map(|kept| Sketches::of_kept(kept, api)).collect())
        })
        .await
    }

    async fn apis(&self) -> Result<Vec<ApiName>, StoreError> {
        self.call("list the APIs that were called", self.options.deadline, async |connection| {
            let names = call_series::table
                .filter(call_series::step.eq(seconds(Step::Day.seconds())?))
                .select(call_series::api)
                .distinct()
                .order(call_series::api)
                .load::<String>(connection)
                .await?;
            names.iter().map(|name| ApiName::new(name).map_err(damaged)).collect()
        })
        .await
    }

    async fn prune(&self, now: Timestamp) -> Result<(), StoreError> {
        let steps = Step::ALL.map(|step| (SERIES, step.seconds(), Some(step.kept())));
        let spans = SketchSpan::ALL.map(|span| (SKETCHES, span.seconds(), span.kept()));
        let deadline = self.options.ledger_deadline;
        for (of, length, kept) in steps.into_iter().chain(spans) {
            let Some(kept) = kept else { continue };
            self.call("forget the history of calls", deadline, async |connection| {
                connection
                    .transaction(async |connection| {
                        take_time(connection, deadline).await?;
                        delete(connection, of, length, now, kept).await
                    })
                    .await
            })
            .await?;
        }
        Ok(())
    }
}

/// Deletes rows of this length that began too long before whichever time is earlier, this one or the server's.
async fn delete(
    connection: &mut AsyncPgConnection,
    of: &str,
    length: u64,
    now: Timestamp,
    kept: Duration,
) -> QueryResult<()> {
    let query = format!(
        "DELETE FROM {of} = $1 \
         AND start < least($2, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) - $3"
    );
    sql_query(query)
        .bind::<Integer, _>(seconds(length)?)
        .bind::<BigInt, _>(now.as_micros_i64())
        .bind::<BigInt, _>(i64::try_from(kept.as_micros()).map_err(damaged)?)
        .execute(connection)
        .await
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
