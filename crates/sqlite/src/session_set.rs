//! A user's set of sessions as rows: how it is read, in one statement.

use std::time::Duration;

use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl, QueryResult,
    RunQueryDsl, SqliteConnection,
};
use tollbar_core::{
    domain::{Session, SessionSet, Timestamp, UserId, Verifier, Version},
    ports::SessionFacts,
};

use crate::{
    failure::damaged,
    schema::{sessions, users},
};

/// The user's version, and a session of theirs, if they have one: version, verifier, expiry.
type Row = (i64, Option<(i64, Vec<u8>, i64)>);

/// Reads the user's version and the sessions that have time left, oldest first. `None`: there is no such user.
pub(crate) fn read(
    connection: &mut SqliteConnection,
    user: UserId,
    now: Timestamp,
) -> QueryResult<Option<SessionSet>> {
    let live = sessions::user_id.eq(users::id).and(sessions::expires_at.gt(now.as_micros_i64()));
    let rows = users::table
        .left_join(sessions::table.on(live))
        .filter(users::id.eq(user.as_i64()))
        .order(sessions::version)
        .select((users::version, (sessions::version, sessions::verifier, sessions::expires_at).nullable()))
        .load::<Row>(connection)?;
    let [(version, _), ..] = rows.as_slice() else { return Ok(None) };
    let version = version_of(*version)?;
    let sessions = rows.into_iter().filter_map(|(_, row)| row.map(|row| session(row, now)));
    Ok(Some(SessionSet { version, sessions: sessions.collect::<QueryResult<_>>()? }))
}

/// Of a session: version, when it was opened, expiry.
pub(crate) type Facts = (i64, Option<i64>, i64);

/// What an operator may know of a session.
pub(crate) fn facts((version, opened_at, expires_at): Facts) -> QueryResult<SessionFacts> {
    let time = |micros: i64| u64::try_from(micros).map(Timestamp::from_micros).map_err(damaged);
    Ok(SessionFacts {
        version: version_of(version)?,
        opened_at: opened_at.map(time).transpose()?,
        expires_at: time(expires_at)?,
    })
}

/// A version as the domain has it.
pub(crate) fn version_of(number: i64) -> QueryResult<Version> {
    u64::try_from(number).map(Version::new).map_err(damaged)
}

fn session((version, verifier, expires_at): (i64, Vec<u8>, i64), now: Timestamp) -> QueryResult<Session> {
    let verifier = <[u8; 32]>::try_from(verifier.as_slice()).map_err(damaged)?;
    let left = expires_at.saturating_sub(now.as_micros_i64());
    Ok(Session {
        version: version_of(version)?,
        verifier: Verifier::from_bytes(verifier),
        remaining: Duration::from_micros(u64::try_from(left).unwrap_or(0)),
    })
}
