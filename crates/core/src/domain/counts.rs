//! Counted calls, and the epochs in which a process authors them.

use std::{collections::BTreeMap, fmt};

use super::{ApiName, UserId};

/// One place on the leaderboard of an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Caller {
    /// Who calls.
    pub user: UserId,
    /// How many calls of theirs were admitted.
    pub calls: u64,
}

/// A sum of admitted calls of one user to one API.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tally {
    /// What was called.
    pub api: ApiName,
    /// Who called.
    pub user: UserId,
    /// How often.
    pub calls: u64,
}

impl Tally {
    /// The sums of several epochs as if they were one, by API and user.
    pub fn sums<'a>(all: impl IntoIterator<Item = &'a Self>) -> Vec<Self> {
        let mut sums = BTreeMap::new();
        for Self { api, user, calls } in all {
            *sums.entry((api, *user)).or_insert(0) += calls;
        }
        let tally = |((api, user), calls): ((&ApiName, _), _)| Self { api: api.clone(), user, calls };
        sums.into_iter().map(tally).collect()
    }
}

/// An author of counts, and a holder of a claim: one run of one process, 128 random bits. A process that was taken for dead goes on as
/// another author.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation([u8; 16]);

impl Incarnation {
    /// Takes 16 random bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The number of a batch of counts within its incarnation: 1, 2, 3, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// The first epoch of an incarnation.
    pub const FIRST: Self = Self(1);

    /// Takes an epoch's number as a store holds it.
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number itself.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// One epoch of one incarnation: what a process counts under, and what is added to the ledger as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EpochId {
    /// Whose epoch it is.
    pub incarnation: Incarnation,
    /// Which of its epochs.
    pub epoch: Epoch,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_epochs_are_as_one() {
        let tally = |user, calls| {
            let (api, user) = (ApiName::new("ping").unwrap(), UserId::new(user).unwrap());
            Tally { api, user, calls }
        };
        assert_eq!(Tally::sums(&[tally(2, 1), tally(1, 1), tally(1, 2)]), [tally(1, 3), tally(2, 1)]);
    }
}
