//! The authors of counts, as rows: each open until it is closed, with the last of its epochs that is in the ledger.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, sql_types::Binary,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use tollbar_core::domain::{Epoch, Incarnation};

use crate::{failure::damaged, schema::incarnations};

/// What became of the wish to note an epoch.
pub(crate) enum Noted {
    Now,
    /// This or a later one was noted already.
    Before,
    /// The incarnation is closed, or unknown.
    Closed,
}

#[derive(diesel::QueryableByName)]
struct Orphan {
    #[diesel(sql_type = Binary)]
    incarnation: Vec<u8>,
}

pub(crate) async fn begin(
    connection: &mut AsyncPgConnection,
    incarnation: Incarnation,
    process: Incarnation,
) -> QueryResult<()> {
    diesel::insert_into(incarnations::table)
        .values((
            incarnations::incarnation.eq(incarnation.as_bytes().as_slice()),
            incarnations::process.eq(process.as_bytes().as_slice()),
            incarnations::epoch.eq(0),
        ))
        .on_conflict_do_nothing()
        .execute(connection)
        .await
        .map(drop)
}

/// Notes an epoch. Of two at once, the second waits for the first and then finds it noted.
pub(crate) async fn note(
    connection: &mut AsyncPgConnection,
    of: Incarnation,
    epoch: i64,
) -> QueryResult<Noted> {
    let row = incarnations::table.find(of.as_bytes().as_slice());
    let is_new = incarnations::epoch.lt(epoch).and(diesel::dsl::not(incarnations::closed));
    let noted = diesel::update(row)
        .filter(is_new)
        .set((incarnations::epoch.eq(epoch), incarnations::flushed_at.eq(diesel::dsl::now)))
        .execute(connection)
        .await?;
    if noted == 1 {
        return Ok(Noted::Now);
    }
    let closed = row.select(incarnations::closed).first(connection).await.optional()?;
    Ok(if closed == Some(false) { Noted::Before } else { Noted::Closed })
}

/// Closes an open incarnation, and says which epoch was its last in the ledger.
pub(crate) async fn close(connection: &mut AsyncPgConnection, of: Incarnation) -> QueryResult<Option<i64>> {
    let row = incarnations::table.find(of.as_bytes().as_slice());
    let closed = diesel::update(row)
        .filter(diesel::dsl::not(incarnations::closed))
        .set((incarnations::closed.eq(true), incarnations::flushed_at.eq(diesel::dsl::now)))
        .returning(incarnations::epoch)
        .get_result(connection)
        .await
        .optional()?;
    // Whoever is closed for so long has no call under way any more, and is unknown from now on.
    diesel::sql_query("DELETE FROM incarnations WHERE closed AND flushed_at < now() - interval '30 days'")
        .execute(connection)
        .await?;
    Ok(closed)
}

pub(crate) async fn last_added(
    connection: &mut AsyncPgConnection,
    of: Incarnation,
) -> QueryResult<Option<Epoch>> {
    let open = incarnations::table
        .find(of.as_bytes().as_slice())
        .filter(diesel::dsl::not(incarnations::closed))
        .select(incarnations::epoch);
    let epoch = open.first::<i64>(connection).await.optional()?;
    epoch.map(|epoch| u64::try_from(epoch).map(Epoch::new).map_err(damaged)).transpose()
}

pub(crate) async fn say_behind(
    connection: &mut AsyncPgConnection,
    of: Incarnation,
    behind: bool,
) -> QueryResult<()> {
    let row = incarnations::table.find(of.as_bytes().as_slice());
    diesel::update(row).set(incarnations::behind.eq(behind)).execute(connection).await.map(drop)
}

pub(crate) async fn is_any_behind(connection: &mut AsyncPgConnection) -> QueryResult<bool> {
    let behind = incarnations::table.filter(incarnations::behind.and(diesel::dsl::not(incarnations::closed)));
    diesel::select(diesel::dsl::exists(behind)).get_result(connection).await
}

pub(crate) async fn orphans(connection: &mut AsyncPgConnection) -> QueryResult<Vec<Incarnation>> {
    let rows: Vec<Orphan> = diesel::sql_query(
        "SELECT incarnation FROM incarnations WHERE NOT closed AND NOT EXISTS ( \
         SELECT FROM processes WHERE processes.incarnation = incarnations.process \
         AND expires_at > clock_timestamp())",
    )
    .load(connection)
    .await?;
    let bytes = |row: Orphan| <[u8; 16]>::try_from(&row.incarnation[..]).map_err(damaged);
    rows.into_iter().map(|row| bytes(row).map(Incarnation::from_bytes)).collect()
}
