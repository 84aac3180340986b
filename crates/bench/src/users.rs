//! Users and sessions, made directly in the stores.

use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tollbar_core::{
    domain::{PasswordHash, UserId, Username},
    ports::UserRepo,
    sessions::TieredSessions,
};

use crate::Failure;

/// How many are made at once: no more than the stores let wait.
const ABREAST: usize = 64;

/// The hash of nobody's password, at the lowest cost: these users never log in.
pub(crate) fn cheap_hash() -> Result<PasswordHash, Failure> {
    Ok(PasswordHash::new(bcrypt::non_truncating_hash("nobody's password", 4)?))
}

/// The name of one of many users.
pub(crate) fn name(label: &str, number: u64) -> String {
    format!("{label}-{number}")
}

/// Creates users with these names and this hash.
pub(crate) async fn create(
    users: &Arc<dyn UserRepo>,
    label: &str,
    count: u64,
    hash: &PasswordHash,
) -> Result<Vec<UserId>, Failure> {
    let one = |number| async move {
        let username = Username::new(name(label, number))?;
        Ok::<_, Failure>(users.create(&username, hash).await?)
    };
    stream::iter(1..=count).map(one).buffered(ABREAST).try_collect().await
}

/// Opens a session for each of the users; their tokens, in the same order.
pub(crate) async fn open(sessions: &TieredSessions, users: &[UserId]) -> Result<Vec<String>, Failure> {
    let one = |user: &UserId| {
        let user = *user;
        async move {
            let opened = sessions.open(user).await?.ok_or("a user who has just been created is not there")?;
            Ok::<_, Failure>(opened.token.expose())
        }
    };
    stream::iter(users).map(one).buffered(ABREAST).try_collect().await
}
