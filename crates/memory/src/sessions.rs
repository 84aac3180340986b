//! The cached sessions of a user: one entry and one lease. No stamp: what the process forgets, it forgets whole.

use std::time::Duration;

use tollbar_core::{
    domain::{Check, Session, SessionSet, SessionToken, Timestamp, Verifier, Version},
    ports::{LeaseNonce, Published, Ticket},
};

use crate::swept::Spent;

/// A user's set of sessions, with deadlines in place of the time that remains.
#[derive(Debug)]
struct Entry {
    version: Version,
    ends: Timestamp,
    sessions: Vec<(Version, Verifier, Timestamp)>,
}

/// The right to fill an absent entry.
#[derive(Debug, Clone, Copy)]
struct Lease {
    nonce: LeaseNonce,
    lapses: Timestamp,
}

/// What is known of one user.
#[derive(Debug, Default)]
pub(crate) struct UserSessions {
    entry: Option<Entry>,
    lease: Option<Lease>,
}

impl Spent for UserSessions {
    fn is_spent(&self, now: Timestamp) -> bool {
        self.live_entry(now).is_none() && self.live_lease(now).is_none()
    }
}

impl UserSessions {
    /// The cached set, if there is one.
    pub(crate) fn set(&self, now: Timestamp) -> Option<SessionSet> {
        let entry = self.live_entry(now)?;
        Some(SessionSet { version: entry.version, sessions: entry.sessions(now).collect() })
    }

    /// What the cached set says of a token, if there is one.
    pub(crate) fn check(&self, token: &SessionToken, verifier: &Verifier, now: Timestamp) -> Option<Check> {
        let entry = self.live_entry(now)?;
        Some(Check::of(token, verifier, entry.version, entry.sessions(now)))
    }

    /// Gives out a lease, unless one is out.
    pub(crate) fn lend(
        &mut self,
        nonce: impl FnOnce() -> LeaseNonce,
        now: Timestamp,
        lease_ttl: Duration,
    ) -> Option<LeaseNonce> {
        self.live_lease(now).is_none().then(|| self.take_over(nonce(), now, lease_ttl))
    }

    /// Forgets the set and gives out a lease that ends any other.
    pub(crate) fn take_over(&mut self, nonce: LeaseNonce, now: Timestamp, lease_ttl: Duration) -> LeaseNonce {
        *self = Self { entry: None, lease: Some(Lease { nonce, lapses: now + lease_ttl }) };
        nonce
    }

    fn live_entry(&self, now: Timestamp) -> Option<&Entry> {
        self.entry.as_ref().filter(|entry| now < entry.ends)
    }

    fn live_lease(&self, now: Timestamp) -> Option<LeaseNonce> {
        self.lease.filter(|lease| now < lease.lapses).map(|lease| lease.nonce)
    }

    /// Writes a set where the write rule allows it.
    pub(crate) fn publish(
        &mut self,
        set: &SessionSet,
        ticket: Ticket,
        now: Timestamp,
        cache_ttl: Duration,
    ) -> Published {
        let wanted = match self.live_entry(now) {
            Some(entry) => set.version > entry.version,
            None => ticket.lease.is_some() && ticket.lease == self.live_lease(now),
        };
        // Whatever comes of it, no lease is out afterwards: a slower reader must not fill with what it read before.
        self.lease = None;
        if !wanted {
            return Published::Refused;
        }
        let base = ticket.at.min(now);
        let ends = base + cache_ttl;
        if ends <= now {
            // Too late to be written; what is known to be out of date goes all the same.
            self.entry = None;
            return Published::Refused;
        }
        let session = |session: &Session| (session.version, session.verifier, base + session.remaining);
        let sessions = set.sessions.iter().map(session).collect();
        self.entry = Some(Entry { version: set.version, ends, sessions });
        Published::Written
    }

    pub(crate) fn drop_entry(&mut self) {
        self.entry = None;
    }

    pub(crate) fn drop_lease(&mut self) {
        self.lease = None;
    }
}

impl Entry {
    /// The sessions as they stand now, without those that have ended.
    fn sessions(&self, now: Timestamp) -> impl Iterator<Item = Session> {
        let session = move |&(version, verifier, deadline): &(Version, Verifier, Timestamp)| Session {
            version,
            verifier,
            remaining: deadline.since(now),
        };
        self.sessions.iter().map(session).filter(|session| !session.remaining.is_zero())
    }
}
