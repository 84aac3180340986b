//! What became of calls, as rows: they are added in the transaction of their epoch.

use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl, SqliteConnection,
    upsert::excluded,
};
use tollbar_core::domain::{Digest, Outcomes, SeriesKey, SketchKey};

use crate::{
    failure::damaged,
    schema::{call_series, call_sketches},
};

pub(crate) fn add(connection: &mut SqliteConnection, digest: &Digest) -> QueryResult<()> {
    for (key, outcomes) in &digest.series {
        add_point(connection, key, outcomes)?;
    }
    for (SketchKey { api, span, start }, added) in &digest.summaries {
        let (name, span, start) = (api.as_str(), seconds(span.seconds())?, start.as_micros_i64());
        let row = call_sketches::table.find((name, span, start));
        let kept: Option<Vec<u8>> = row.select(call_sketches::sketches).first(connection).optional()?;
        diesel::replace_into(call_sketches::table)
            .values((
                call_sketches::api.eq(name),
                call_sketches::span.eq(span),
                call_sketches::start.eq(start),
                call_sketches::sketches.eq(added.grown(&kept.unwrap_or_default(), api)),
            ))
            .execute(connection)?;
    }
    Ok(())
}

fn add_point(connection: &mut SqliteConnection, key: &SeriesKey, outcomes: &Outcomes) -> QueryResult<()> {
    use call_series::{admitted, api, limited, refused, repeated, start, step, table};

    let number = |number: u64| i64::try_from(number).map_err(damaged);
    diesel::insert_into(table)
        .values((
            api.eq(key.api.as_str()),
            step.eq(seconds(key.step.seconds())?),
            start.eq(key.start.as_micros_i64()),
            admitted.eq(number(outcomes.admitted)?),
            limited.eq(number(outcomes.limited)?),
            repeated.eq(number(outcomes.repeated)?),
            refused.eq(number(outcomes.refused)?),
        ))
        .on_conflict((api, step, start))
        .do_update()
        .set((
            admitted.eq(admitted + excluded(admitted)),
            limited.eq(limited + excluded(limited)),
            repeated.eq(repeated + excluded(repeated)),
            refused.eq(refused + excluded(refused)),
        ))
        .execute(connection)
        .map(drop)
}

/// The length of a step as its rows have it.
pub(crate) fn seconds(seconds: u64) -> QueryResult<i32> {
    i32::try_from(seconds).map_err(damaged)
}
