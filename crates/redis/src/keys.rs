//! The names of keys: all that one script touches carries the hash tag of one partition.

use std::num::NonZeroU16;

use fred::{bytes::Bytes, util::redis_keyslot};
use tollbar_core::domain::{ApiName, EpochId, Fingerprint, Incarnation, Policy, Subject, UserId};

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
    /// Adds a subject's record.
    pub(crate) fn record(&mut self, keys: &Keys, subject: Subject) {
        keys.write(keys.partition(subject), &[&name_of(subject)], &mut self.text);
        self.ends.push(self.text.len());
    }

    /// Adds a record of what is kept apart of a subject: the limits of one path.
    pub(crate) fn limits(&mut self, keys: &Keys, subject: Subject, path: Fingerprint) {
        keys.write(keys.partition(subject), &[&name_of(subject), ":", &hex(path)], &mut self.text);
        self.ends.push(self.text.len());
    }

    /// Adds a count.
    pub(crate) fn count(&mut self, keys: &Keys, count: Count, api: &ApiName, at: Partition) {
        keys.write(at, &[count.name(), ":", api.as_str()], &mut self.text);
        self.ends.push(self.text.len());
    }

    /// Adds what a call is noted under, and the fence that may forbid it.
    pub(crate) fn pending(&mut self, keys: &Keys, epoch: EpochId, at: Partition) {
        for name in [keys.pending(epoch, at), keys.fence(epoch.incarnation, at)] {
            self.text.extend_from_slice(&name);
            self.ends.push(self.text.len());
        }
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

    /// Where a subject's keys are.
    pub(crate) fn partition(&self, subject: impl Into<Subject>) -> Partition {
        let number = match subject.into() {
            Subject::User(user) => user.get(),
            Subject::Other(fingerprint) => {
                fingerprint.as_bytes().iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
            }
        };
        let rest = number % u64::from(self.partitions.get());
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

    /// Where a subject's limits under a policy are kept: in its record, or apart where each path has its own.
    pub(crate) fn limits(&self, subject: Subject, policy: &Policy) -> Bytes {
        let mut names = Names::default();
        match policy.path() {
            Some(path) => names.limits(self, subject, path),
            None => names.record(self, subject),
        }
        names.text.into()
    }

    /// All that is kept of a subject but for single paths.
    pub(crate) fn of_subject(&self, subject: Subject) -> Bytes {
        self.key(self.partition(subject), &[&name_of(subject)])
    }

    /// What matches the keys of a subject's limits of single paths, and no others, as `SCAN` takes it.
    pub(crate) fn pattern_of_paths(&self, subject: Subject) -> Bytes {
        let beginning = self.key(self.partition(subject), &[&name_of(subject), ":"]);
        let mut pattern = Vec::with_capacity(beginning.len() + 8);
        for byte in beginning {
            if b"*?[]^-\\".contains(&byte) {
                pattern.push(b'\\');
            }
            pattern.push(byte);
        }
        pattern.push(b'*');
        pattern.into()
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

    /// What is noted of an epoch's calls in one partition.
    pub(crate) fn pending(&self, id: EpochId, at: Partition) -> Bytes {
        self.key(at, &["pending:", &id.incarnation.to_string(), ":", &id.epoch.get().to_string()])
    }

    /// What forbids an incarnation's calls in one partition.
    pub(crate) fn fence(&self, of: Incarnation, at: Partition) -> Bytes {
        self.key(at, &["fence:", &of.to_string()])
    }

    /// Where the signs of life are: anywhere, but always there.
    #[expect(clippy::unused_self, reason = "all that is asked of keys is asked of them")]
    pub(crate) fn partition_of_beats(&self) -> Partition {
        Partition(0)
    }

    /// The sign that an incarnation lives.
    pub(crate) fn beat(&self, of: Incarnation) -> Bytes {
        self.key(self.partition_of_beats(), &["beat:", &of.to_string()])
    }

    /// What is written to see whether a partition's server takes writes.
    pub(crate) fn sign(&self, at: Partition) -> Bytes {
        self.key(at, &["sign"])
    }

    /// The slot of each partition in a cluster.
    pub(crate) fn slots(&self) -> Box<[u16]> {
        self.beginnings.iter().map(|beginning| redis_keyslot(beginning.as_bytes())).collect()
    }

    /// Says whether the counts of one partition are whole.
    pub(crate) fn mark(&self, at: Partition) -> Bytes {
        self.key(at, &["mark"])
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

/// What a subject's keys are called: a user by its number, anything else by its fingerprint.
fn name_of(subject: Subject) -> String {
    match subject {
        Subject::User(user) => user.get().to_string(),
        Subject::Other(fingerprint) => format!("s:{}", hex(fingerprint)),
    }
}

fn hex(fingerprint: Fingerprint) -> String {
    format!("{:032x}", u128::from_be_bytes(*fingerprint.as_bytes()))
}

#[cfg(test)]
mod tests {
    use tollbar_core::domain::PolicyName;

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
        names.record(&keys, user.into());
        names.count(&keys, Count::Sketch, &ping, keys.partition(user));
        names.record(&keys, user.into());
        assert_eq!(names.all().collect::<Vec<_>>(), ["tb:{3}:35", kinds[2].as_str(), "tb:{3}:35"]);

        let policy = Policy::unlimited(PolicyName::new("p").unwrap(), ping);
        let at_path = policy.at_path(Fingerprint::of_path("/a"));
        assert_eq!(keys.limits(user.into(), &policy), "tb:{3}:35");
        let apart = keys.limits(user.into(), &at_path);
        assert!(apart.starts_with(b"tb:{3}:35:") && apart.len() == 10 + 32, "{apart:?}");
        let other = Subject::header("x-api-key", Some(b"k"));
        let (record, of_path) = (keys.limits(other, &policy), keys.limits(other, &at_path));
        assert!(of_path.starts_with(&record) && of_path.len() == record.len() + 33);
        assert_eq!(keys.of_subject(other), record);
        assert_eq!(keys.pattern_of_paths(user.into()), "tb:{3}:35:*");
        let odd = Keys::new("t*b", NonZeroU16::new(16).unwrap());
        assert_eq!(odd.pattern_of_paths(user.into()), "t\\*b:{3}:35:*");
        let tag = format!("tb:{{{}}}:s:", keys.partition(other).index());
        assert!(record.starts_with(tag.as_bytes()), "{record:?}");
    }
}
