//! The version of a user's set of sessions.

use std::fmt;

/// How many times a user's set of sessions has changed: 0 before the first login, and it only rises.
///
/// A session is named by the version that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version(u64);

impl Version {
    /// Takes a version as a store or a token holds it.
    pub fn new(version: u64) -> Self {
        Self(version)
    }

    /// The number itself.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
