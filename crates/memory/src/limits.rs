//! Limits: for each subject and path, a log for each policy's name.

use tollbar_core::domain::{Decision, Fingerprint, LimitLog, Policy, PolicyName, Subject, Timestamp};

use crate::{
    shards::{SHARDS, Sharded},
    swept::Spent,
};

/// As many as the first byte of a fingerprint is divided among.
const PARTS: u8 = 64;
const _: () = assert!(SHARDS == PARTS as usize);

/// Whose limits, and for which path where each path has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct LimitKey {
    subject: Subject,
    path: Option<Fingerprint>,
}

impl LimitKey {
    pub(crate) fn of(policy: &Policy, subject: Subject) -> Self {
        Self { subject, path: policy.path() }
    }

    /// A subject's limits, those of single paths apart.
    pub(crate) fn of_subject(subject: Subject) -> Self {
        Self { subject, path: None }
    }

    /// Whose limits these are.
    pub(crate) fn subject(&self) -> Subject {
        self.subject
    }

    /// Whether there are no more of such than there are users.
    pub(crate) fn is_a_users_own(&self) -> bool {
        matches!(self.subject, Subject::User(_)) && self.path.is_none()
    }

    /// What all share in this part for whom there is no room.
    pub(crate) fn crowded(self) -> Self {
        match self.subject {
            // A user's paths are told apart no more.
            Subject::User(_) => Self { path: None, ..self },
            // The part that this is in is the same.
            Subject::Other(fingerprint) => {
                let mut crowd = [0xff; 16];
                crowd[0] = fingerprint.as_bytes()[0] % PARTS;
                Self { subject: Subject::Other(Fingerprint::from_bytes(crowd)), path: None }
            }
        }
    }
}

impl Sharded for LimitKey {
    fn number(self) -> u64 {
        match self.subject {
            Subject::User(user) => user.number(),
            Subject::Other(fingerprint) => u64::from(fingerprint.as_bytes()[0]),
        }
    }
}

/// The logs of one key; they are few, since policies are.
#[derive(Debug, Default)]
pub(crate) struct Limits(Vec<(PolicyName, LimitLog)>);

impl Spent for Limits {
    fn is_spent(&self, now: Timestamp) -> bool {
        self.0.iter().all(|(_, log)| log.is_spent(now))
    }
}

impl Limits {
    /// Decides one call and, where every window admits it, charges it.
    pub(crate) fn decide(&mut self, policy: &Policy, now: Timestamp) -> Decision {
        self.log(policy, now).decide(policy, now)
    }

    /// What a decision would say now.
    pub(crate) fn peek(&self, policy: &Policy, now: Timestamp) -> Decision {
        match self.find(policy) {
            Some(at) => self.0[at].1.peek(policy, now),
            None => LimitLog::new(policy.algorithm()).peek(policy, now),
        }
    }

    /// Forgets what is kept under a policy, or under all: how many of these logs still held anything.
    pub(crate) fn forget(&mut self, policy: Option<&PolicyName>, now: Timestamp) -> u64 {
        let mut held = 0;
        self.0.retain(|(name, log)| {
            let goes = policy.is_none_or(|wanted| wanted == name);
            held += u64::from(goes && !log.is_spent(now));
            !goes
        });
        held
    }

    fn find(&self, policy: &Policy) -> Option<usize> {
        let is_its = |(name, log): &(PolicyName, LimitLog)| {
            name == policy.name() && log.algorithm() == policy.algorithm()
        };
        self.0.iter().position(is_its)
    }

    fn log(&mut self, policy: &Policy, now: Timestamp) -> &mut LimitLog {
        let at = self.find(policy).unwrap_or_else(|| {
            // Logs of policies that are gone leave when another comes.
            self.0.retain(|(_, log)| !log.is_spent(now));
            self.0.push((policy.name().clone(), LimitLog::new(policy.algorithm())));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }
}
