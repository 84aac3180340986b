//! A user's set of sessions and how a token is held against it.

use std::{fmt, time::Duration};

use subtle::ConstantTimeEq;

use super::{SessionToken, Version};

/// SHA-256 of a token's secret: all that either tier keeps of it. Compared in constant time, never shown.
#[derive(Clone, Copy)]
pub struct Verifier([u8; 32]);

impl Verifier {
    /// Takes the 32 bytes as a store holds them.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for Verifier {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Verifier {}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(…)")
    }
}

/// One session of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The version of the set that made it: its name among the user's sessions.
    pub version: Version,
    /// What the token's secret must hash to.
    pub verifier: Verifier,
    /// The time it has left, counted from when the set was read. Expiry travels so because clocks differ.
    pub remaining: Duration,
}

/// All live sessions of one user at one version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionSet {
    /// How many changes the user's set had seen when this was read.
    pub version: Version,
    /// The sessions, oldest first.
    pub sessions: Vec<Session>,
}

/// What a set says of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The session lives, for this long.
    Live(Duration),
    /// It has ended, or never was.
    Dead,
    /// The token is of a later version than the set: only the durable tier can say.
    Newer,
}

impl Check {
    /// Holds a token against the sessions of one set, however they are kept.
    ///
    /// # Parameters
    /// - `token`: of the set's user.
    /// - `verifier`: the token's.
    /// - `version`: the set's.
    /// - `sessions`: the set's, with the time they have left; those that have ended may be left out.
    pub fn of(
        token: &SessionToken,
        verifier: &Verifier,
        version: Version,
        sessions: impl IntoIterator<Item = Session>,
    ) -> Self {
        match sessions.into_iter().find(|session| session.version == token.version()) {
            Some(session) if session.verifier == *verifier && !session.remaining.is_zero() => {
                Self::Live(session.remaining)
            }
            None if token.version() > version => Self::Newer,
            _ => Self::Dead,
        }
    }
}

impl SessionSet {
    /// Holds a token of this set's user against the set.
    pub fn check(&self, token: &SessionToken) -> Check {
        Check::of(token, &token.verifier(), self.version, self.sessions.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Secret, TokenKey, UserId};

    fn token(version: u64) -> SessionToken {
        TokenKey::from_bytes([7; 32]).issue(
            UserId::new(1).unwrap(),
            Version::new(version),
            Secret::from_bytes([version.to_be_bytes()[7]; 32]),
        )
    }

    fn set(version: u64, of: &[u64], remaining: Duration) -> SessionSet {
        let session =
            |&v: &u64| Session { version: Version::new(v), verifier: token(v).verifier(), remaining };
        SessionSet { version: Version::new(version), sessions: of.iter().map(session).collect() }
    }

    #[test]
    fn a_token_lives_while_its_session_is_in_the_set() {
        let minute = Duration::from_secs(60);
        assert_eq!(set(2, &[1, 2], minute).check(&token(1)), Check::Live(minute));
        assert_eq!(set(2, &[2], minute).check(&token(1)), Check::Dead);
        assert_eq!(set(2, &[2], minute).check(&token(3)), Check::Newer);
        assert_eq!(set(2, &[], minute).check(&token(2)), Check::Dead, "ended or expired, and left out");
        assert_eq!(set(2, &[2], Duration::ZERO).check(&token(2)), Check::Dead);
    }

    #[test]
    fn another_secret_of_the_same_version_is_dead() {
        let mut stolen = set(1, &[1], Duration::from_secs(1));
        stolen.sessions[0].verifier = Verifier::from_bytes([0; 32]);
        assert_eq!(stolen.check(&token(1)), Check::Dead);
    }
}
