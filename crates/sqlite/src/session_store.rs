//! Port `SessionStore`: one versioned set of sessions per user.

use std::num::NonZeroUsize;

use async_trait::async_trait;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl,
    SqliteConnection,
};
use tollbar_core::{
    StoreError,
    domain::{SessionSet, Timestamp, UserId, Verifier, Version},
    ports::{AllClosed, Closed, NewSession, SessionFacts, SessionStore},
};

use crate::{
    SqliteStore,
    schema::{sessions, users},
    session_set::{self, version_of},
};

#[async_trait]
impl SessionStore for SqliteStore {
    async fn load(&self, user: UserId, now: Timestamp) -> Result<Option<SessionSet>, StoreError> {
        let read = move |connection: &mut _| session_set::read(connection, user, now);
        self.read("load sessions", self.options.deadline, read).await
    }

    async fn open(
        &self,
        user: UserId,
        session: NewSession,
        keep: NonZeroUsize,
        now: Timestamp,
    ) -> Result<Option<SessionSet>, StoreError> {
        self.write("open a session", self.options.deadline, move |connection| {
            let Some(version) = raise_version(connection, user)? else { return Ok(None) };
            forget_expired(connection, user, now)?;
            forget_oldest(connection, user, keep.get() - 1)?;
            let expires_at = (now + session.ttl).as_micros_i64();
            diesel::insert_into(sessions::table)
                .values((
                    sessions::user_id.eq(user.as_i64()),
                    sessions::version.eq(version),
                    sessions::verifier.eq(session.verifier.as_bytes().as_slice()),
                    sessions::expires_at.eq(expires_at),
                    sessions::opened_at.eq(now.as_micros_i64()),
                ))
                .execute(connection)?;
            session_set::read(connection, user, now)
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
        let verifier = *verifier;
        self.write("close a session", self.options.deadline, move |connection| {
            let Some(mut set) = session_set::read(connection, user, now)? else { return Ok(None) };
            let found = set.sessions.iter().position(|s| s.version == version && s.verifier == verifier);
            if let Some(at) = found {
                let ended = set.sessions.remove(at);
                let of_user = sessions::user_id.eq(user.as_i64());
                let ended = i64::try_from(ended.version.get()).unwrap_or(i64::MAX);
                diesel::delete(sessions::table.filter(of_user.and(sessions::version.eq(ended))))
                    .execute(connection)?;
                let raised = raise_version(connection, user)?.ok_or(diesel::result::Error::NotFound)?;
                set.version = version_of(raised)?;
            }
            Ok(Some(Closed { was_live: found.is_some(), set }))
        })
        .await
    }

    async fn count(&self, now: Timestamp) -> Result<u64, StoreError> {
        let live = sessions::table.filter(sessions::expires_at.gt(now.as_micros_i64())).count();
        let read = move |connection: &mut _| live.get_result::<i64>(connection);
        // None is negative.
        Ok(self.read("count sessions", self.options.deadline, read).await?.try_into().unwrap_or(0))
    }

    async fn close_all(&self, user: UserId, now: Timestamp) -> Result<Option<AllClosed>, StoreError> {
        self.write("close all sessions", self.options.deadline, move |connection| {
            let Some(mut set) = session_set::read(connection, user, now)? else { return Ok(None) };
            let ended = std::mem::take(&mut set.sessions).len();
            if ended > 0 {
                let of_user = sessions::table.filter(sessions::user_id.eq(user.as_i64()));
                diesel::delete(of_user).execute(connection)?;
                let raised = raise_version(connection, user)?.ok_or(diesel::result::Error::NotFound)?;
                set.version = version_of(raised)?;
            }
            Ok(Some(AllClosed { ended, set }))
        })
        .await
    }

    async fn list(&self, user: UserId, now: Timestamp) -> Result<Vec<SessionFacts>, StoreError> {
        self.read("list sessions", self.options.deadline, move |connection| {
            let rows = sessions::table
                .filter(sessions::user_id.eq(user.as_i64()).and(sessions::expires_at.gt(now.as_micros_i64())))
                .order(sessions::version)
                .select((sessions::version, sessions::opened_at, sessions::expires_at))
                .load::<session_set::Facts>(connection)?;
            rows.into_iter().map(session_set::facts).collect()
        })
        .await
    }
}

/// Raises the version of the user's set by one and returns it. `None`: there is no such user.
fn raise_version(connection: &mut SqliteConnection, user: UserId) -> QueryResult<Option<i64>> {
    diesel::update(users::table.find(user.as_i64()))
        .set(users::version.eq(users::version + 1))
        .returning(users::version)
        .get_result(connection)
        .optional()
}

fn forget_expired(connection: &mut SqliteConnection, user: UserId, now: Timestamp) -> QueryResult<usize> {
    let of_user = sessions::user_id.eq(user.as_i64());
    diesel::delete(sessions::table.filter(of_user.and(sessions::expires_at.le(now.as_micros_i64()))))
        .execute(connection)
}

/// Deletes all but the `keep` newest; a session's version tells its age.
fn forget_oldest(connection: &mut SqliteConnection, user: UserId, keep: usize) -> QueryResult<()> {
    let of_user = sessions::user_id.eq(user.as_i64());
    let newest_to_go = sessions::table
        .filter(of_user)
        .order(sessions::version.desc())
        .offset(i64::try_from(keep).unwrap_or(i64::MAX))
        .select(sessions::version)
        .first::<i64>(connection)
        .optional()?;
    if let Some(newest_to_go) = newest_to_go {
        let going = sessions::table.filter(of_user.and(sessions::version.le(newest_to_go)));
        diesel::delete(going).execute(connection)?;
    }
    Ok(())
}
