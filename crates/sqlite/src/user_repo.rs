//! Port `UserRepo`: accounts by name.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryResult, RunQueryDsl};
use tollbar_core::{
    StoreError,
    domain::{AccountName, PasswordHash, Timestamp, UserId, Username},
    ports::{Account, CreateUserError, Credentials, UserRepo},
};

use crate::{SqliteStore, failure::damaged, schema::users};

#[async_trait]
impl UserRepo for SqliteStore {
    async fn create(&self, username: &Username, hash: &PasswordHash) -> Result<UserId, CreateUserError> {
        let (username, key, hash) = (username.as_str().to_owned(), username.key(), hash.expose().to_owned());
        let created = self.write("create a user", self.options.deadline, move |connection| {
            // Asked first, as nobody else writes meanwhile: an insert that conflicts would use a number up.
            let same_name = users::table.filter(users::username_key.eq(&key));
            if diesel::select(diesel::dsl::exists(same_name)).get_result::<bool>(connection)? {
                return Ok(None);
            }
            let id = diesel::insert_into(users::table)
                .values((
                    users::username.eq(&username),
                    users::username_key.eq(&key),
                    users::password_hash.eq(&hash),
                ))
                .returning(users::id)
                .get_result::<i64>(connection)?;
            UserId::try_from(id).map(Some).map_err(damaged)
        });
        created.await?.ok_or(CreateUserError::Taken)
    }

    async fn find(&self, username: &Username) -> Result<Option<Credentials>, StoreError> {
        let key = username.key();
        self.read("find a user", self.options.deadline, move |connection| {
            let row = users::table
                .filter(users::username_key.eq(key))
                .select((users::id, users::password_hash))
                .get_result::<(i64, String)>(connection)
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
        let name = name.clone();
        self.read("tell of a user", self.options.deadline, move |connection| {
            let accounts = users::table.select((users::id, users::username, users::created_at));
            let row = match name {
                AccountName::Name(name) => {
                    accounts.filter(users::username_key.eq(name.key())).first(connection)
                }
                AccountName::Number(user) => accounts.filter(users::id.eq(user.as_i64())).first(connection),
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
