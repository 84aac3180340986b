//! Port `SessionStore`: one versioned set of sessions per user.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, OptionalExtension, QueryDsl,
    QueryResult,
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use tollbar_core::{
    StoreError,
    domain::{SessionSet, Timestamp, UserId, Verifier, Version},
    ports::{AllClosed, Closed, NewSession, SessionFacts, SessionStore},
};

use crate::{
    PgStore,
    schema::{sessions, users},
    session_set::{self, version_of},
};

#[async_trait]
impl SessionStore for PgStore {
    async fn load(&self, user: UserId, now: Timestamp) -> Result<Option<SessionSet>, StoreError> {
        self.call("load sessions", self.options.deadline, async |connection| {
            session_set::read(connection, user, now).await
        })
        .await
    }

    async fn open(
        &self,
        user: UserId,
        session: NewSession,
        keep: NonZeroUsize,
        now: Timestamp,
    ) -> Result<Option<SessionSet>, StoreError> {
        let session = &session;
        self.call("open a session", self.options.deadline, async |connection| {
            connection.transaction(async |connection| open(connection, user, session, keep, now).await).await
        })
        .await
    }

    async fn close(
        &self,
        user: UserId,
        version: Version,
        verifier: &Verifier,
        now: Timestamp,
    ) -> Result<Option<Closed>, StoreError> {
        self.call("close a session", self.options.deadline, async |connection| {
            connection
                .transaction(async |connection| close(connection, user, version, verifier, now).await)
                .await
        })
        .await
    }

    async fn count(&self, now: Timestamp) -> Result<u64, StoreError> {
        let live = sessions::table.filter(sessions::expires_at.gt(now.as_micros_i64())).count();
        let counted = self.call("count sessions", self.options.deadline, async |connection| {
            live.get_result::<i64>(connection).await
        });
        // None is negative.
        Ok(counted.await?.try_into().unwrap_or(0))
    }

    async fn close_all(&self, user: UserId, now: Timestamp) -> Result<Option<AllClosed>, StoreError> {
        self.call("close all sessions", self.options.deadline, async |connection| {
            connection.transaction(async |connection| close_all(connection, user, now).await).await
        })
        .await
    }

    async fn list(&self, user: UserId, now: Timestamp) -> Result<Vec<SessionFacts>, StoreError> {
        self.call("list sessions", self.options.deadline, async |connection| {
            let rows = sessions::table
                .filter(sessions::user_id.eq(user.as_i64()).and(sessions::expires_at.gt(now.as_micros_i64())))
                .order(sessions::version)
                .select((sessions::version, sessions::opened_at, sessions::expires_at))
                .load::<session_set::Facts>(connection)
                .await?;
            rows.into_iter().map(session_set::facts).collect()
        })
        .await
    }
}

async fn open(
    connection: &mut AsyncPgConnection,
    user: UserId,
    session: &NewSession,
    keep: NonZeroUsize,
    now: Timestamp,
) -> QueryResult<Option<SessionSet>> {
    // First, for it locks the user's row: the statements after it see what the change before this one left.
    let Some(version) = raise_version(connection, user).await? else { return Ok(None) };
    forget(connection, user, keep.get() - 1, now).await?;
    diesel::insert_into(sessions::table)
        .values((
            sessions::user_id.eq(user.as_i64()),
            sessions::version.eq(version),
            sessions::verifier.eq(session.verifier.as_bytes().as_slice()),
            sessions::expires_at.eq((now + session.ttl).as_micros_i64()),
            sessions::opened_at.eq(now.as_micros_i64()),
        ))
        .execute(connection)
        .await?;
    session_set::read(connection, user, now).await
}

async fn close(
    connection: &mut AsyncPgConnection,
    user: UserId,
    version: Version,
    verifier: &Verifier,
    now: Timestamp,
) -> QueryResult<Option<Closed>> {
    lock(connection, user).await?;
    let Some(mut set) = session_set::read(connection, user, now).await? else { return Ok(None) };
    let found = set.sessions.iter().position(|s| s.version == version && s.verifier == *verifier);
    if let Some(at) = found {
        let ended = i64::try_from(set.sessions.remove(at).version.get()).unwrap_or(i64::MAX);
        let of_user = sessions::user_id.eq(user.as_i64());
        let ended = sessions::table.filter(of_user.and(sessions::version.eq(ended)));
        diesel::delete(ended).execute(connection).await?;
        let raised = raise_version(connection, user).await?.ok_or(diesel::result::Error::NotFound)?;
        set.version = version_of(raised)?;
    }
    Ok(Some(Closed { was_live: found.is_some(), set }))
}

async fn close_all(
    connection: &mut AsyncPgConnection,
    user: UserId,
    now: Timestamp,
) -> QueryResult<Option<AllClosed>> {
    lock(connection, user).await?;
    let Some(mut set) = session_set::read(connection, user, now).await? else { return Ok(None) };
    let ended = std::mem::take(&mut set.sessions).len();
    if ended > 0 {
        let of_user = sessions::table.filter(sessions::user_id.eq(user.as_i64()));
        diesel::delete(of_user).execute(connection).await?;
        let raised = raise_version(connection, user).await?.ok_or(diesel::result::Error::NotFound)?;
        set.version = version_of(raised)?;
    }
    Ok(Some(AllClosed { ended, set }))
}

/// Locks a user's row. Alone and first, as an opening does: a statement that waits for the lock would still read sessions as of before.
async fn lock(connection: &mut AsyncPgConnection, user: UserId) -> QueryResult<()> {
    let row = users::table.find(user.as_i64()).select(users::id).for_update();
    row.get_result::<i64>(connection).await.optional().map(drop)
}

/// Raises the version of the user's set by one and returns it. `None`: there is no such user.
async fn raise_version(connection: &mut AsyncPgConnection, user: UserId) -> QueryResult<Option<i64>> {
    diesel::update(users::table.find(user.as_i64()))
        .set(users::version.eq(users::version + 1))
        .returning(users::version)
        .get_result(connection)
        .await
        .optional()
}

/// Deletes the expired sessions, and of the others all but the `keep` newest; a session's version tells its age.
async fn forget(
    connection: &mut AsyncPgConnection,
    user: UserId,
    keep: usize,
    now: Timestamp,
) -> QueryResult<()> {
    let candidates = diesel::alias!(sessions as candidates);
    let (user, now) = (user.as_i64(), now.as_micros_i64());
    let newest_to_go = candidates
        .filter(candidates.field(sessions::user_id).eq(user))
        .filter(candidates.field(sessions::expires_at).gt(now))
        .order(candidates.field(sessions::version).desc())
        .offset(i64::try_from(keep).unwrap_or(i64::MAX))
        .limit(1)
        .select(candidates.field(sessions::version));
    let expired = sessions::expires_at.le(now);
    let surplus = sessions::version.nullable().le(newest_to_go.single_value());
    let going = sessions::table.filter(sessions::user_id.eq(user)).filter(expired.nullable().or(surplus));
    diesel::delete(going).execute(connection).await.map(drop)
}
