//! Use case: a session for who knows the password.

use std::sync::Arc;

use crate::{
    StoreError,
    domain::{Password, Username},
    ports::{HashError, PasswordHasher, UserRepo},
    sessions::{Opened, TieredSessions},
};

/// Opens sessions.
pub struct Login {
    users: Arc<dyn UserRepo>,
    hasher: Arc<dyn PasswordHasher>,
    sessions: Arc<TieredSessions>,
}

/// Why nobody logged in.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LoginError {
    /// There is no such user, or this is not the password; nobody is told which.
    #[error("the username or the password is wrong")]
    Wrong,
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// A tier failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Login {
    /// Logins of these users into these sessions.
    pub fn new(
        users: Arc<dyn UserRepo>,
        hasher: Arc<dyn PasswordHasher>,
        sessions: Arc<TieredSessions>,
    ) -> Self {
        Self { users, hasher, sessions }
    }

    /// Opens a session; by the time of the answer, the sessions that it ends are dead. An unknown user costs the same hash as a
    /// wrong password.
    ///
    /// # Errors
    /// See [`LoginError`].
    pub async fn call(&self, username: &Username, password: &Password) -> Result<Opened, LoginError> {
        let Some(credentials) = self.users.find(username).await? else {
            self.hasher.verify_nobody(password).await?;
            return Err(LoginError::Wrong);
        };
        if !self.hasher.verify(password, &credentials.hash).await? {
            return Err(LoginError::Wrong);
        }
        self.sessions.open(credentials.user).await?.ok_or(LoginError::Wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{PasswordHash, Secret, SessionSet, Timestamp, TokenKey, UserId, Version},
        ports::{
            Credentials, ManualClock, MockPasswordHasher, MockSessionCache, MockSessionStore, MockUserRepo,
            Published, Ticket,
        },
        sessions::SessionOptions,
    };

    fn login(users: MockUserRepo, hasher: MockPasswordHasher, store: MockSessionStore) -> Login {
        let mut cache = MockSessionCache::new();
        cache.expect_change().returning(|_| Ok(Ticket { at: Timestamp::from_micros(1), lease: None }));
        cache.expect_publish().returning(|_, _, _| Ok(Published::Written));
        let sessions = TieredSessions::new(
            Arc::new(store),
            Arc::new(cache),
            Arc::new(ManualClock::new()),
            TokenKey::from_bytes([1; 32]),
            SessionOptions::default(),
        );
        Login::new(Arc::new(users), Arc::new(hasher), Arc::new(sessions))
    }

    async fn call(login: &Login) -> Result<Opened, LoginError> {
        login.call(&Username::new("ada").unwrap(), &Password::new("pass123").unwrap()).await
    }

    fn known() -> MockUserRepo {
        let mut users = MockUserRepo::new();
        users.expect_find().returning(|_| {
            Ok(Some(Credentials { user: UserId::new(7).unwrap(), hash: PasswordHash::new("hash") }))
        });
        users
    }

    #[tokio::test]
    async fn an_unknown_user_costs_one_verification() {
        let (mut users, mut hasher) = (MockUserRepo::new(), MockPasswordHasher::new());
        users.expect_find().returning(|_| Ok(None));
        hasher.expect_verify_nobody().once().returning(|_| Ok(()));
        assert!(matches!(call(&login(users, hasher, MockSessionStore::new())).await, Err(LoginError::Wrong)));
    }

    #[tokio::test]
    async fn a_wrong_password_opens_nothing() {
        let mut hasher = MockPasswordHasher::new();
        hasher.expect_verify().once().returning(|_, _| Ok(false));
        assert!(matches!(
            call(&login(known(), hasher, MockSessionStore::new())).await,
            Err(LoginError::Wrong)
        ));
    }

    #[tokio::test]
    async fn the_right_password_opens_a_session_named_by_the_new_version() {
        let (mut hasher, mut store) = (MockPasswordHasher::new(), MockSessionStore::new());
        hasher.expect_verify().returning(|_, _| Ok(true));
        store.expect_open().once().returning(|_, _, keep, _| {
            assert_eq!(keep.get(), 1);
            Ok(Some(SessionSet { version: Version::new(4), sessions: vec![] }))
        });
        let opened = call(&login(known(), hasher, store)).await.unwrap();
        let expected = TokenKey::from_bytes([1; 32]);
        let back = expected.recognise(&opened.token.expose()).unwrap();
        assert_eq!((back.user().get(), back.version().get()), (7, 4));
        let other = Secret::from_bytes([0; 32]);
        assert!(other.verifier() != back.verifier(), "the secret is drawn at random");
    }
}
