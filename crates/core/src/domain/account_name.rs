//! How an operator names an account: as its user does, or by number.

use std::{fmt, str::FromStr};

use super::{UserId, UserIdError, Username, UsernameError};

/// What stands before a number. No username holds a colon, so that neither is taken for the other.
const NUMBER: &str = "id:";

/// Which account is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AccountName {
    /// The one with this username, in any case.
    Name(Username),
    /// The one with this number, written `id:7`.
    Number(UserId),
}

/// A text names no account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountNameError {
    /// It is no username.
    #[error(transparent)]
    Name(#[from] UsernameError),
    /// What follows `id:` is no number of a user.
    #[error(transparent)]
    Number(#[from] UserIdError),
}

impl FromStr for AccountName {
    type Err = AccountNameError;

    fn from_str(text: &str) -> Result<Self, AccountNameError> {
        match text.strip_prefix(NUMBER) {
            Some(number) => Ok(Self::Number(number.parse().map_err(|_| UserIdError).and_then(UserId::new)?)),
            None => Ok(Self::Name(Username::new(text)?)),
        }
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Number(number) => write!(f, "{NUMBER}{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_told_from_a_name() {
        let named = |text: &str| text.parse::<AccountName>();
        assert_eq!(named("7"), Ok(AccountName::Name(Username::new("7").unwrap())));
        assert_eq!(named("id:7"), Ok(AccountName::Number(UserId::new(7).unwrap())));
        for refused in ["id:", "id:0", "id:-1", "id:x", "id:9223372036854775808"] {
            assert_eq!(named(refused), Err(UserIdError.into()), "{refused}");
        }
        assert_eq!(named(""), Err(UsernameError::Empty.into()));
        for text in ["ada", "id:7"] {
            assert_eq!(named(text).unwrap().to_string(), text);
        }
    }
}
