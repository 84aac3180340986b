//! The authors of counts, as rows: each open until it is closed, with the last of its epochs that is in the ledger.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, QueryableByName,
    RunQueryDsl, SqliteConnection,
    dsl::{not, sql},
    sql_query,
    sql_types::{BigInt, Binary},
};
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

#[derive(QueryableByName)]
struct Orphan {
    #[diesel(sql_type = Binary)]
    incarnation: Vec<u8>,
}

pub(crate) fn begin(
    connection: &mut SqliteConnection,
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
        .map(drop)
}

/// Notes an epoch.
pub(crate) fn note(connection: &mut SqliteConnection, of: Incarnation, epoch: i64) -> QueryResult<Noted> {
    let row = incarnations::table.find(of.as_bytes().as_slice());
    let is_new = incarnations::epoch.lt(epoch).and(not(incarnations::closed));
    let noted = diesel::update(row)
        .filter(is_new)
        .set((incarnations::epoch.eq(epoch), incarnations::flushed_at.eq(sql::<BigInt>("unixepoch()"))))
        .execute(connection)?;
    if noted == 1 {
        return Ok(Noted::Now);
    }
    let closed = row.select(incarnations::closed).first(connection).optional()?;
    Ok(if closed == Some(false) { Noted::Before } else { Noted::Closed })
}

/// Closes an open incarnation, and says which epoch was its last in the ledger.
pub(crate) fn close(connection: &mut SqliteConnection, of: Incarnation) -> QueryResult<Option<i64>> {
    let row = incarnations::table.find(of.as_bytes().as_slice());
    let closed = diesel::update(row)
        .filter(not(incarnations::closed))
        .set((incarnations::closed.eq(true), incarnations::flushed_at.eq(sql::<BigInt>("unixepoch()"))))
        .returning(incarnations::epoch)
        .get_result(connection)
        .optional()?;
    // Whoever is closed for so long has no call under way any more, and is unknown from now on.
    sql_query("DELETE FROM incarnations WHERE closed AND flushed_at < unixepoch() - 30 * 86400")
        .execute(connection)?;
    Ok(closed)
}

pub(crate) fn last_added(connection: &mut SqliteConnection, of: Incarnation) -> QueryResult<Option<Epoch>> {
    let row = incarnations::table.find(of.as_bytes().as_slice());
    let open = row.filter(not(incarnations::closed)).select(incarnations::epoch);
    let epoch = open.first::<i64>(connection).optional()?;
    epoch.map(|epoch| u64::try_from(epoch).map(Epoch::new).map_err(damaged)).transpose()
}

pub(crate) fn say_behind(
    connection: &mut SqliteConnection,
    of: Incarnation,
    behind: bool,
) -> QueryResult<()> {
    let row = incarnations::table.find(of.as_bytes().as_slice());
    diesel::update(row).set(incarnations::behind.eq(behind)).execute(connection).map(drop)
}

pub(crate) fn is_any_behind(connection: &mut SqliteConnection) -> QueryResult<bool> {
    let behind = incarnations::table.filter(incarnations::behind.and(not(incarnations::closed)));
    diesel::select(diesel::dsl::exists(behind)).get_result(connection)
}

pub(crate) fn orphans(connection: &mut SqliteConnection) -> QueryResult<Vec<Incarnation>> {
    let rows: Vec<Orphan> = sql_query(
        "SELECT incarnation FROM incarnations WHERE NOT closed AND NOT EXISTS ( \
         SELECT 1 FROM processes WHERE processes.incarnation = incarnations.process \
         AND expires_at > unixepoch('subsec') * 1000000)",
    )
    .load(connection)?;
    let bytes = |row: Orphan| <[u8; 16]>::try_from(&row.incarnation[..]).map_err(damaged);
    rows.into_iter().map(|row| bytes(row).map(Incarnation::from_bytes)).collect()
}
