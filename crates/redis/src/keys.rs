//! The names of keys: all that one script touches carries the hash tag of one partition.

use std::num::NonZeroU16;

use fred::bytes::Bytes;
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

/// What is counted of an API in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// Every caller's total.
    Calls,
    /// The callers with the highest.
    Board,
    /// The distinct callers.
    Sketch,
}

impl Count {
    /// As the scripts take them that count or raise.
    const ALL: [Self; 3] = [Self::Calls, Self::Board, Self::Sketch];

    fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Board => "board",
            Self::Sketch => "sketch",
        }
    }
}

/// Makes the names of keys.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// What the keys of each partition begin with.
    beginnings: Vec<String>,
    partitions: NonZeroU16,
}

/// Names of keys, one after the other in one piece of memory.
#[derive(Debug, Default)]
pub(crate) struct Names {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Names {
    /// Adds a user's record.
    pub(crate) fn record(&mut self, keys: &Keys, user: UserId) {
        keys.write(keys.partition(user), &[&user.get().to_string()], &mut self.text);
        self.ends.push(self.text.len());
    }

    /// Adds a count.
    pub(crate) fn count(&mut self, keys: &Keys, count: Count, api: &ApiName, at: Partition) {
        keys.write(at, &[count.name(), ":", api.as_str()], &mut self.text);
        self.ends.push(self.text.len());
    }

    /// All of them.
    pub(crate) fn all(self) -> impl ExactSizeIterator<Item = Bytes> {
        let (text, mut begin) = (Bytes::from(self.text), 0);
        self.ends.into_iter().map(move |end| text.slice(std::mem::replace(&mut begin, end)..end))
    }
}

impl Keys {
    pub(crate) fn new(prefix: &str, partitions: NonZeroU16) -> Self {
        let beginnings = (0..partitions.get()).map(|at| format!("{prefix}:{{{at}}}:")).collect();
        Self { beginnings, partitions }
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
    pub(crate) fn record(&self, user: UserId) -> Bytes {
        self.key(self.partition(user), &[&user.get().to_string()])
    }

    /// The lease to fill a user's set.
    pub(crate) fn lease(&self, user: UserId) -> Bytes {
        self.key(self.partition(user), &["e:", &user.get().to_string()])
    }

    /// A count of an API in one partition.
    pub(crate) fn count(&self, count: Count, api: &ApiName, at: Partition) -> Bytes {
        self.key(at, &[count.name(), ":", api.as_str()])
    }

    /// All counts of an API in one partition.
    pub(crate) fn counts(&self, api: &ApiName, at: Partition) -> [Bytes; 3] {
        Count::ALL.map(|count| self.count(count, api, at))
    }

    fn key(&self, at: Partition, rest: &[&str]) -> Bytes {
        let mut key = Vec::with_capacity(64);
        self.write(at, rest, &mut key);
        key.into()
    }

    fn write(&self, at: Partition, rest: &[&str], into: &mut Vec<u8>) {
        into.extend_from_slice(self.beginnings[at.index()].as_bytes());
        for part in rest {
            into.extend_from_slice(part.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_user_has_one_hash_tag() {
        let keys = Keys::new("tb", NonZeroU16::new(16).unwrap());
        let (user, ping) = (UserId::new(35).unwrap(), ApiName::new("ping").unwrap());
        assert_eq!([keys.record(user), keys.lease(user)], ["tb:{3}:35", "tb:{3}:e:35"]);
        let kinds = ["calls", "board", "sketch"].map(|kind| format!("tb:{{3}}:{kind}:ping"));
        assert_eq!(keys.counts(&ping, keys.partition(user)), kinds.clone().map(Bytes::from));
        assert_eq!(keys.partitions().count(), 16);

        let mut names = Names::default();
        names.record(&keys, user);
        names.count(&keys, Count::Sketch, &ping, keys.partition(user));
        names.record(&keys, user);
        assert_eq!(names.all().collect::<Vec<_>>(), ["tb:{3}:35", kinds[2].as_str(), "tb:{3}:35"]);
    }
}
