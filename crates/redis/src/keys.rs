//! The names of keys: all that one script touches carries the hash tag of one partition.

use std::num::NonZeroU16;

use tollbar_core::domain::{ApiName, UserId};

/// One of the parts among which users are divided, so that a script finds all its keys on one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Partition(u16);

impl Partition {
    /// Its number, from 0.
    pub(crate) fn index(self) -> usize {
        self.0.into()
    }
}

/// The keys of the counts of an API in one partition.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// Every caller's total.
    pub(crate) calls: String,
    /// The callers with the highest.
    pub(crate) board: String,
    /// The distinct callers.
    pub(crate) sketch: String,
}

impl Place {
    /// As the scripts take them.
    pub(crate) fn keys(self) -> [String; 3] {
        [self.calls, self.board, self.sketch]
    }
}

/// Makes the names of keys.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    prefix: String,
    partitions: NonZeroU16,
}

impl Keys {
    pub(crate) fn new(prefix: String, partitions: NonZeroU16) -> Self {
        Self { prefix, partitions }
    }

    /// Where a user's keys are.
    pub(crate) fn partition(&self, user: UserId) -> Partition {
        let rest = user.get() % u64::from(self.partitions.get());
        Partition(u16::try_from(rest).expect("a rest is less than what it was divided by"))
    }

    /// All partitions.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = Partition> + use<> {
        (0..self.partitions.get()).map(Partition)
    }

    /// All that is kept of a user: the set of sessions and the limits.
    pub(crate) fn record(&self, user: UserId) -> String {
        self.key(self.partition(user), format_args!("{user}"))
    }

    /// The lease to fill a user's set.
    pub(crate) fn lease(&self, user: UserId) -> String {
        self.key(self.partition(user), format_args!("e:{user}"))
    }

    /// The counts of an API in one partition.
    pub(crate) fn place(&self, api: &ApiName, at: Partition) -> Place {
        let key = |kind: &str| self.key(at, format_args!("{kind}:{api}"));
        Place { calls: key("calls"), board: key("board"), sketch: key("sketch") }
    }

    fn key(&self, at: Partition, rest: std::fmt::Arguments<'_>) -> String {
        format!("{}:{{{}}}:{rest}", self.prefix, at.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_user_has_one_hash_tag() {
        let keys = Keys::new("tb".into(), NonZeroU16::new(16).unwrap());
        let user = UserId::new(35).unwrap();
        assert_eq!([keys.record(user), keys.lease(user)], ["tb:{3}:35", "tb:{3}:e:35"]);
        let place = keys.place(&ApiName::new("ping").unwrap(), keys.partition(user));
        let kinds = ["calls", "board", "sketch"].map(|kind| format!("tb:{{3}}:{kind}:ping"));
        assert_eq!(place.keys(), kinds);
        assert_eq!(keys.partitions().count(), 16);
    }
}
