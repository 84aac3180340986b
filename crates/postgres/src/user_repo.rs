//! Port `UserRepo`: accounts by name.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use tollbar_core::{
    StoreError,
    domain::{PasswordHash, UserId, Username},
    ports::{CreateUserError, Credentials, UserRepo},
};

use crate::{PgStore, failure::damaged, schema::users};

#[async_trait]
impl UserRepo for PgStore {
    async fn create(&self, username: &Username, hash: &PasswordHash) -> Result<UserId, CreateUserError> {
        let created = self.call("create a user", self.options.deadline, async |connection| {
            let key = username.key();
            // Asked first: an insert that conflicts uses a number up. Two at once still do, and only one of them inserts.
            let same_name = users::table.filter(users::username_key.eq(&key));
            if diesel::select(diesel::dsl::exists(same_name)).get_result::<bool>(connection).await? {
                return Ok(None);
            }
            let id = diesel::insert_into(users::table)
                .values((
                    users::username.eq(username.as_str()),
                    users::username_key.eq(&key),
                    users::password_hash.eq(hash.expose()),
                ))
                .on_conflict(users::username_key)
                .do_nothing()
                .returning(users::id)
                .get_result::<i64>(connection)
                .await
                .optional()?;
            id.map(UserId::try_from).transpose().map_err(damaged)
        });
        created.await?.ok_or(CreateUserError::Taken)
    }

    async fn find(&self, username: &Username) -> Result<Option<Credentials>, StoreError> {
        self.call("find a user", self.options.deadline, async |connection| {
            let row = users::table
                .filter(users::username_key.eq(username.key()))
                .select((users::id, users::password_hash))
                .get_result::<(i64, String)>(connection)
                .await
                .optional()?;
            row.map(|(id, hash)| {
                let user = UserId::try_from(id).map_err(damaged)?;
                Ok(Credentials { user, hash: PasswordHash::new(hash) })
            })
            .transpose()
        })
        .await
    }
}
