//! Use case: a new user.

use std::sync::Arc;

use crate::{
    StoreError,
    domain::{Password, PasswordError, UserId, Username},
    ports::{CreateUserError, HashError, PasswordHasher, UserRepo},
};

/// Creates users.
pub struct Signup {
    users: Arc<dyn UserRepo>,
    hasher: Arc<dyn PasswordHasher>,
    min_length: usize,
}

/// Why nobody signed up.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SignupError {
    /// The password breaks a rule for new ones.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Another user has this name, perhaps in other case.
    #[error("the username is taken")]
    Taken,
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The durable tier failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Signup {
    /// Signups into this repository, with passwords of at least `min_length` characters.
    pub fn new(users: Arc<dyn UserRepo>, hasher: Arc<dyn PasswordHasher>, min_length: usize) -> Self {
        Self { users, hasher, min_length }
    }

    /// Creates a user. A taken name costs the same hash as a free one, so that time does not tell which it is.
    ///
    /// # Errors
    /// See [`SignupError`].
    pub async fn call(&self, username: &Username, password: &Password) -> Result<UserId, SignupError> {
        password.long_enough(self.min_length)?;
        let hash = self.hasher.hash(password).await?;
        self.users.create(username, &hash).await.map_err(|error| match error {
            CreateUserError::Taken => SignupError::Taken,
            CreateUserError::Store(error) => SignupError::Store(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::PasswordHash,
        ports::{MockPasswordHasher, MockUserRepo},
    };

    #[tokio::test]
    async fn a_taken_name_costs_one_hash_too() {
        let (mut users, mut hasher) = (MockUserRepo::new(), MockPasswordHasher::new());
        hasher.expect_hash().once().returning(|_| Ok(PasswordHash::new("hash")));
        users
            .expect_create()
            .withf(|name, hash| name.as_str() == "Ada" && hash.expose() == "hash")
            .returning(|_, _| Err(CreateUserError::Taken));
        let signup = Signup::new(Arc::new(users), Arc::new(hasher), 7);
        let refused = signup.call(&Username::new("Ada").unwrap(), &Password::new("pass123").unwrap()).await;
        assert!(matches!(refused, Err(SignupError::Taken)));
    }

    #[tokio::test]
    async fn a_short_password_costs_nothing() {
        let signup = Signup::new(Arc::new(MockUserRepo::new()), Arc::new(MockPasswordHasher::new()), 8);
        let refused = signup.call(&Username::new("Ada").unwrap(), &Password::new("pass123").unwrap()).await;
        assert!(matches!(refused, Err(SignupError::Password(PasswordError::TooShort(8)))));
    }

    #[tokio::test]
    async fn a_busy_hasher_keeps_the_repository_out_of_it() {
        let mut hasher = MockPasswordHasher::new();
        hasher.expect_hash().returning(|_| Err(HashError::Busy { retry_after: std::time::Duration::ZERO }));
        let signup = Signup::new(Arc::new(MockUserRepo::new()), Arc::new(hasher), 7);
        let refused = signup.call(&Username::new("Ada").unwrap(), &Password::new("pass123").unwrap()).await;
        assert!(matches!(refused, Err(SignupError::Hash(HashError::Busy { .. }))));
    }
}
