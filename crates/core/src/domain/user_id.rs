//! The number that names a user for ever.

use std::fmt;

/// A user's number: at least 1, at most `i64::MAX` (what every SQL engine holds), never used again for another user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(u64);

/// The number is 0 or above what a durable tier can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a user id is a whole number from 1 to {}", i64::MAX)]
pub struct UserIdError;

impl UserId {
    /// Takes a number that came from outside.
    pub fn new(id: u64) -> Result<Self, UserIdError> {
        if id == 0 || i64::try_from(id).is_err() { Err(UserIdError) } else { Ok(Self(id)) }
    }

    /// The number itself.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The number as SQL engines hold it.
    pub fn as_i64(self) -> i64 {
        i64::try_from(self.0).expect("`new` refused what does not fit")
    }
}

impl TryFrom<i64> for UserId {
    type Error = UserIdError;

    fn try_from(id: i64) -> Result<Self, Self::Error> {
        u64::try_from(id).map_err(|_| UserIdError).and_then(Self::new)
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_a_durable_tier_can_hold() {
        assert_eq!(UserId::new(1).unwrap().get(), 1);
        assert_eq!(UserId::new(i64::MAX as u64).unwrap().as_i64(), i64::MAX);
        for refused in [0, i64::MAX as u64 + 1, u64::MAX] {
            assert_eq!(UserId::new(refused), Err(UserIdError));
        }
        assert_eq!(UserId::try_from(-1), Err(UserIdError));
    }
}
