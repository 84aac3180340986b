//! A password as a person types it, and the hash that is kept of it.

use std::fmt;

use zeroize::Zeroizing;

/// bcrypt looks at 72 bytes, of which its terminator takes one.
const MAX_BYTES: usize = 71;

/// A password that bcrypt sees whole: 1 to 71 bytes, no NUL. Wiped from memory when dropped, never shown.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Which rule a password breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// No character at all.
    #[error("Password must not be empty!")]
    Empty,
    /// Fewer characters than a new password must have.
    #[error("Password must have at least {0} characters!")]
    TooShort(usize),
    /// More bytes than bcrypt can see.
    #[error("Password must have at most 71 bytes!")]
    TooLong,
    /// A NUL, where bcrypt would stop reading.
    #[error("Password must not contain a NUL character!")]
    Nul,
}

impl Password {
    /// Takes a password that came from outside, whatever its length in characters.
    pub fn new(password: impl Into<String>) -> Result<Self, PasswordError> {
        let password = Zeroizing::new(password.into());
        if password.is_empty() {
            Err(PasswordError::Empty)
        } else if password.len() > MAX_BYTES {
            Err(PasswordError::TooLong)
        } else if password.contains('\0') {
            Err(PasswordError::Nul)
        } else {
            Ok(Self(password))
        }
    }

    /// Asks what is asked of a new password only: at least `min_length` characters.
    pub fn long_enough(&self, min_length: usize) -> Result<(), PasswordError> {
        if self.0.chars().count() < min_length { Err(PasswordError::TooShort(min_length)) } else { Ok(()) }
    }

    /// The password in clear, for a [`PasswordHasher`](crate::ports::PasswordHasher) only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// A salted hash of a password, in the text form of its algorithm. Not shown, for logs outlive mistakes.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a hash as a hasher made it or a store holds it.
    pub fn new(hash: impl Into<String>) -> Self {
        Self(hash.into())
    }

    /// The text form, for a store or a hasher.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_which_rule_a_password_breaks() {
        let refusal = |text: &str| Password::new(text).err();
        assert_eq!(refusal(""), Some(PasswordError::Empty));
        assert_eq!(refusal(&"a".repeat(72)), Some(PasswordError::TooLong));
        assert_eq!(refusal(&"é".repeat(36)), Some(PasswordError::TooLong));
        assert_eq!(refusal("pass\0word"), Some(PasswordError::Nul));
        assert_eq!(refusal(&"a".repeat(71)), None);
    }

    #[test]
    fn length_is_counted_in_characters() {
        let eight = Password::new("pässwörd").unwrap();
        assert!(eight.long_enough(8).is_ok());
        assert_eq!(eight.long_enough(9).err(), Some(PasswordError::TooShort(9)));
    }

    #[test]
    fn never_shows_itself() {
        assert_eq!(format!("{:?}", Password::new("hunter22").unwrap()), "Password(…)");
        assert_eq!(format!("{:?}", PasswordHash::new("$2b$04$abc")), "PasswordHash(…)");
    }
}
