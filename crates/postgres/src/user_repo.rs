//! Port `UserRepo`: accounts by name.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, dsl::sql, sql_types::BigInt};
use diesel_async::RunQueryDsl;
use tollbar_core::{
    StoreError,
    domain::{AccountName, PasswordHash, Timestamp, UserId, Username},
    ports::{Account, CreateUserError, Credentials, UserRepo},
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

    async fn account(&self, name: &AccountName) -> Result<Option<Account>, StoreError> {
        self.call("tell of a user", self.options.deadline, async |connection| {
            // Whole seconds: the library would want another one for times.
            let created_at = sql::<BigInt>("floor(extract(epoch FROM users.created_at))::bigint");
            let accounts = users::table.select((users::id, users::username, created_at));
            let row = match name {
                AccountName::Name(name) => {
                    accounts.filter(users::username_key.eq(name.key())).first(connection).await
                }
                AccountName::Number(user) => {
                    accounts.filter(users::id.eq(user.as_i64())).first(connection).await
                }
            };
            row.optional()?.map(account).transpose()
        })
        .await
    }
}

/// Number, name and the second of the signup.
fn account((id, username, created_at): (i64, String, i64)) -> QueryResult<Account> {
    let seconds = u64::try_from(created_at).map_err(damaged)?;
    Ok(Account {
        user: UserId::try_from(id).map_err(damaged)?,
        username: Username::new(username).map_err(damaged)?,
        created_at: Timestamp::from_micros(seconds.saturating_mul(1_000_000)),
    })
}
