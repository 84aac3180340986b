//! `SessionCache` in memory: one entry and one lease a user. No stamp: what the process forgets, it forgets whole.

use std::time::Duration;

use async_trait::async_trait;
use tollbar_core::{
    StoreError,
    domain::{Session, SessionSet, Timestamp, UserId, Verifier, Version},
    ports::{LeaseNonce, Lookup, Published, SessionCache, Ticket},
};

use crate::{live::MemoryLive, swept::Spent};

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
    fn live_entry(&self, now: Timestamp) -> Option<&Entry> {
        self.entry.as_ref().filter(|entry| now < entry.ends)
    }

    fn live_lease(&self, now: Timestamp) -> Option<LeaseNonce> {
        self.lease.filter(|lease| now < lease.lapses).map(|lease| lease.nonce)
    }

    fn publish(
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
    /// The set as it stands now, without what has ended.
    fn set(&self, now: Timestamp) -> SessionSet {
        let session = |&(version, verifier, deadline): &(Version, Verifier, Timestamp)| Session {
            version,
            verifier,
            remaining: deadline.since(now),
        };
        let live = self.sessions.iter().map(session).filter(|session| !session.remaining.is_zero());
        SessionSet { version: self.version, sessions: live.collect() }
    }
}

#[async_trait]
impl SessionCache for MemoryLive {
    async fn lookup(&self, user: UserId) -> Result<Lookup, StoreError> {
        let mut shard = self.sessions.of(user);
        // Under the lock, so that times of one user do not fall.
        let at = self.clock.now();
        if let Some(entry) = shard.get(user).and_then(|known| known.live_entry(at)) {
            return Ok(Lookup::Hit { set: entry.set(at), ticket: Ticket { at, lease: None } });
        }
        let known = shard.change(user, at);
        let lease = if known.live_lease(at).is_some() { None } else { Some(self.nonce()) };
        if let Some(nonce) = lease {
            *known = UserSessions {
                entry: None,
                lease: Some(Lease { nonce, lapses: at + self.options.lease_ttl }),
            };
        }
        Ok(Lookup::Miss { ticket: Ticket { at, lease } })
    }

    async fn change(&self, user: UserId) -> Result<Ticket, StoreError> {
        let mut shard = self.sessions.of(user);
        let (at, nonce) = (self.clock.now(), self.nonce());
        let lease = Lease { nonce, lapses: at + self.options.lease_ttl };
        *shard.change(user, at) = UserSessions { entry: None, lease: Some(lease) };
        Ok(Ticket { at, lease: Some(nonce) })
    }

    async fn publish(&self, user: UserId, set: &SessionSet, ticket: Ticket) -> Result<Published, StoreError> {
        let mut shard = self.sessions.of(user);
        let now = self.clock.now();
        Ok(shard.change(user, now).publish(set, ticket, now, self.options.cache_ttl))
    }
}
