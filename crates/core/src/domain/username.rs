//! The name a user signs up and logs in with.

use std::fmt;

const MAX_LENGTH: usize = 64;

/// 1 to 64 ASCII letters, digits, `.`, `_`, `-`, `@` and `+`; unique without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Username(String);

/// Which rule a username breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// No character at all.
    #[error("Username must not be empty!")]
    Empty,
    /// More than 64 characters.
    #[error("Username must have at most 64 characters!")]
    TooLong,
    /// A character that a username cannot hold.
    #[error("Username may hold only letters, digits and . _ - @ +!")]
    Character,
}

impl Username {
    /// Takes a name that came from outside; its case is kept.
    pub fn new(name: impl Into<String>) -> Result<Self, UsernameError> {
        let name = name.into();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+');
        if name.is_empty() {
            Err(UsernameError::Empty)
        } else if name.chars().count() > MAX_LENGTH {
            Err(UsernameError::TooLong)
        } else if !name.chars().all(allowed) {
            Err(UsernameError::Character)
        } else {
            Ok(Self(name))
        }
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that uniqueness is judged by: lower case.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_which_rule_a_name_breaks() {
        assert_eq!(Username::new(""), Err(UsernameError::Empty));
        assert_eq!(Username::new("a".repeat(65)), Err(UsernameError::TooLong));
        for refused in ["a b", "ä", "a/b", "a\0", "a\n", "a:b", "😀"] {
            assert_eq!(Username::new(refused), Err(UsernameError::Character), "{refused:?}");
        }
        // A name of 64 characters in more than 64 bytes breaks the character rule, not the length.
        assert_eq!(Username::new("é".repeat(64)), Err(UsernameError::Character));
    }

    #[test]
    fn keeps_case_and_compares_without_it() {
        let name = Username::new("Ada.L-1_x@mail+tag").unwrap();
        assert_eq!(name.as_str(), "Ada.L-1_x@mail+tag");
        assert_eq!(name.key(), Username::new("aDA.l-1_X@MAIL+TAG").unwrap().key());
        assert!(Username::new("a".repeat(64)).is_ok());
    }
}
