//! The names of keys: all that one script touches carries the hash tag of one partition.

use std::num::NonZeroU16;

use tollbar_core::domain::{ApiName, PolicyName, UserId};

/// One of the parts among which users are divided, so that a script finds all its keys on one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Partition(u16);

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

    /// The user's set of sessions and the lease to fill it.
    pub(crate) fn session(&self, user: UserId) -> [String; 2] {
        let at = self.partition(user);
        [self.key(at, format_args!("s:{user}")), self.key(at, format_args!("e:{user}"))]
    }

    /// The user's admitted units under a policy, whatever its revision.
    pub(crate) fn log(&self, policy: &PolicyName, user: UserId) -> String {
        self.key(self.partition(user), format_args!("l:{policy}:{user}"))
    }

    /// The calls and the distinct callers of an API in one partition.
    pub(crate) fn counts(&self, api: &ApiName, at: Partition) -> [String; 2] {
        [self.key(at, format_args!("board:{api}")), self.key(at, format_args!("sketch:{api}"))]
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
        let (user, ping) = (UserId::new(35).unwrap(), PolicyName::new("ping").unwrap());
        assert_eq!(keys.session(user), ["tb:{3}:s:35", "tb:{3}:e:35"]);
        assert_eq!(keys.log(&ping, user), "tb:{3}:l:ping:35");
        let counts = keys.counts(&ApiName::new("ping").unwrap(), keys.partition(user));
        assert_eq!(counts, ["tb:{3}:board:ping", "tb:{3}:sketch:ping"]);
        assert_eq!(keys.partitions().count(), 16);
    }
}
