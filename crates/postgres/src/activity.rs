//! What became of calls, as rows: they are added in the transaction of their epoch, in the order in which every process locks them.

use std::collections::{BTreeMap, HashMap};

use diesel::{
    QueryResult, QueryableByName, sql_query,
    sql_types::{Array, BigInt, Binary, Integer, Text},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use tollbar_core::domain::{Digest, Outcomes, SeriesKey, SketchKey, Sketches};

use crate::failure::damaged;

/// A row of `call_sketches`.
#[derive(QueryableByName)]
struct Kept {
    #[diesel(sql_type = Text)]
    api: String,
    #[diesel(sql_type = Integer)]
    span: i32,
    #[diesel(sql_type = BigInt)]
    start: i64,
    #[diesel(sql_type = Binary)]
    sketches: Vec<u8>,
}

/// The keys of rows, as one array for each column.
struct Keys<'k> {
    apis: Vec<&'k str>,
    lengths: Vec<i32>,
    starts: Vec<i64>,
}

pub(crate) async fn add(connection: &mut AsyncPgConnection, digest: &Digest) -> QueryResult<()> {
    if !digest.series.is_empty() {
        add_series(connection, &digest.series).await?;
    }
    if !digest.summaries.is_empty() {
        add_sketches(connection, &digest.summaries).await?;
    }
    Ok(())
}

async fn add_series(
    connection: &mut AsyncPgConnection,
    series: &BTreeMap<SeriesKey, Outcomes>,
) -> QueryResult<()> {
    let keys =
        Keys::of(series.keys().map(|key| (key.api.as_str(), key.step.seconds(), key.start.as_micros_i64())))?;
    let column = |of: fn(&Outcomes) -> u64| -> QueryResult<Vec<i64>> {
        series.values().map(|outcomes| i64::try_from(of(outcomes)).map_err(damaged)).collect()
    };
    sql_query(
        "INSERT INTO call_series AS kept (api, step, start, admitted, limited, repeated, refused) \
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (api, step, start) DO UPDATE SET \
         admitted = kept.admitted + EXCLUDED.admitted, limited = kept.limited + EXCLUDED.limited, \
         repeated = kept.repeated + EXCLUDED.repeated, refused = kept.refused + EXCLUDED.refused",
    )
    .bind::<Array<Text>, _>(&keys.apis)
    .bind::<Array<Integer>, _>(&keys.lengths)
    .bind::<Array<BigInt>, _>(&keys.starts)
    .bind::<Array<BigInt>, _>(column(|outcomes| outcomes.admitted)?)
    .bind::<Array<BigInt>, _>(column(|outcomes| outcomes.limited)?)
    .bind::<Array<BigInt>, _>(column(|outcomes| outcomes.repeated)?)
    .bind::<Array<BigInt>, _>(column(|outcomes| outcomes.refused)?)
    .execute(connection)
    .await
    .map(drop)
}

/// Two who grow the same summary do so one after the other: the rows are made where they are missing, then locked.
async fn add_sketches(
    connection: &mut AsyncPgConnection,
    added: &BTreeMap<SketchKey, Sketches>,
) -> QueryResult<()> {
    let keys =
        Keys::of(added.keys().map(|key| (key.api.as_str(), key.span.seconds(), key.start.as_micros_i64())))?;
    sql_query(
        "INSERT INTO call_sketches (api, span, start, sketches) \
         SELECT api, span, start, '' FROM unnest($1, $2, $3) AS wanted (api, span, start) \
         ON CONFLICT (api, span, start) DO NOTHING",
    )
    .bind::<Array<Text>, _>(&keys.apis)
    .bind::<Array<Integer>, _>(&keys.lengths)
    .bind::<Array<BigInt>, _>(&keys.starts)
    .execute(connection)
    .await?;
    let kept: Vec<Kept> = sql_query(
        "SELECT kept.api, kept.span, kept.start, kept.sketches FROM call_sketches AS kept \
         JOIN unnest($1, $2, $3) AS wanted (api, span, start) \
         ON kept.api = wanted.api AND kept.span = wanted.span AND kept.start = wanted.start \
         ORDER BY kept.api, kept.span, kept.start FOR UPDATE OF kept",
    )
    .bind::<Array<Text>, _>(&keys.apis)
    .bind::<Array<Integer>, _>(&keys.lengths)
    .bind::<Array<BigInt>, _>(&keys.starts)
    .load(connection)
    .await?;
    let by_key = kept.iter().map(|row| ((&*row.api, row.span, row.start), &*row.sketches));
    let by_key: HashMap<_, &[u8]> = by_key.collect();
    // One that is missing has just been pruned, and is not written either.
    let kept = |at: usize| by_key.get(&(keys.apis[at], keys.lengths[at], keys.starts[at]));
    let grow = |(at, (key, added)): (usize, (&SketchKey, &Sketches))| {
        added.grown(kept(at).copied().unwrap_or_default(), &key.api)
    };
    let grown: Vec<Vec<u8>> = added.iter().enumerate().map(grow).collect();
    sql_query(
        "UPDATE call_sketches AS kept SET sketches = grown.sketches \
         FROM unnest($1, $2, $3, $4) AS grown (api, span, start, sketches) \
         WHERE kept.api = grown.api AND kept.span = grown.span AND kept.start = grown.start",
    )
    .bind::<Array<Text>, _>(&keys.apis)
    .bind::<Array<Integer>, _>(&keys.lengths)
    .bind::<Array<BigInt>, _>(&keys.starts)
    .bind::<Array<Binary>, _>(grown)
    .execute(connection)
    .await
    .map(drop)
}

impl<'k> Keys<'k> {
    fn of(rows: impl Iterator<Item = (&'k str, u64, i64)>) -> QueryResult<Self> {
        let mut keys = Self { apis: Vec::new(), lengths: Vec::new(), starts: Vec::new() };
        for (api, length, start) in rows {
            keys.apis.push(api);
            keys.lengths.push(seconds(length)?);
            keys.starts.push(start);
        }
        Ok(keys)
    }
}

/// The length of a step as its rows have it.
pub(crate) fn seconds(seconds: u64) -> QueryResult<i32> {
    i32::try_from(seconds).map_err(damaged)
}
