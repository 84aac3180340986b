//! The live tier: one entry, one lease, and the stamp of the engine's run. A method is one script.

use super::{Rule, store::Set};

/// The cached set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    pub(super) stamp: u8,
    pub(super) set: Set,
    /// When its lifetime is over.
    pub(super) ends: u8,
}

/// The right to fill an absent entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Lease {
    pub(super) stamp: u8,
    pub(super) nonce: u8,
}

/// What a look-up or a change hands out, to be shown with the publish that follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    pub(super) at: u8,
    pub(super) lease: Option<u8>,
}

/// All that is known of the user's sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Redis {
    pub(super) entry: Option<Entry>,
    pub(super) lease: Option<Lease>,
    pub(super) stamp: u8,
}

/// A script on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Script {
    /// Looks the entry up; a miss may take the lease.
    LookUp { nonce: u8 },
    /// Announces a change.
    Change { nonce: u8 },
    /// Publishes a set.
    Publish { set: Set, ticket: Ticket },
}

/// What scripts need to know beside their arguments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) now: u8,
    pub(super) cache_ttl: u8,
    pub(super) broken: Option<Rule>,
}

impl Redis {
    pub(super) fn empty(stamp: u8) -> Self {
        Self { entry: None, lease: None, stamp }
    }

    /// The set that a look-up hits now.
    pub(super) fn hit(&self, now: u8, broken: Option<Rule>) -> Option<Set> {
        let bears_stamp = |entry: &Entry| entry.stamp == self.stamp || broken == Some(Rule::EntryBearsStamp);
        self.entry.filter(|entry| bears_stamp(entry) && now < entry.ends).map(|entry| entry.set)
    }

    fn live_lease(&self, broken: Option<Rule>) -> Option<u8> {
        let bears_stamp = |lease: &Lease| lease.stamp == self.stamp || broken == Some(Rule::LeaseBearsStamp);
        self.lease.filter(bears_stamp).map(|lease| lease.nonce)
    }

    /// A hit's set, and the ticket; a miss takes the lease if none is out.
    pub(super) fn look_up(&mut self, nonce: u8, terms: Terms) -> (Option<Set>, Ticket) {
        let at = terms.now;
        if let Some(set) = self.hit(terms.now, terms.broken) {
            return (Some(set), Ticket { at, lease: None });
        }
        if terms.broken != Some(Rule::ForeignGoes) {
            self.entry = None;
        }
        let held = self.live_lease(terms.broken);
        if held.is_none() {
            self.lease = Some(Lease { stamp: self.stamp, nonce });
        }
        // A look-up that is sent again finds its own lease.
        (None, Ticket { at, lease: held.is_none_or(|held| held == nonce).then_some(nonce) })
    }

    /// Deletes the entry and takes over the lease.
    pub(super) fn change(&mut self, nonce: u8, terms: Terms) -> Ticket {
        self.entry = None;
        self.lease = Some(Lease { stamp: self.stamp, nonce });
        Ticket { at: terms.now, lease: Some(nonce) }
    }

    /// Writes a set: over a present entry a later one only, into an absent one only under the ticket's lease.
    pub(super) fn publish(&mut self, set: Set, ticket: Ticket, terms: Terms) {
        let Terms { now, cache_ttl, broken } = terms;
        let present = self.hit(now, broken);
        let wanted = match present {
            Some(present) => set.version > present.version || broken == Some(Rule::LaterVersionOnly),
            None if broken == Some(Rule::FillUnderLease) => true,
            None => ticket.lease.is_some() && self.live_lease(broken) == ticket.lease,
        };
        if wanted || broken != Some(Rule::RefusalEndsLease) {
            self.lease = None;
        }
        let base = if broken == Some(Rule::LifetimeFromTicket) { now } else { ticket.at };
        let ends = base + cache_ttl;
        if wanted && ends > now {
            self.entry = Some(Entry { stamp: self.stamp, set, ends });
            return;
        }
        // What is out of date goes, also where its successor comes too late; so does what nobody can hit.
        let goes = match present {
            Some(_) => wanted && broken != Some(Rule::OutdatedGoes),
            None => broken != Some(Rule::ForeignGoes),
        };
        if goes {
            self.entry = None;
        }
    }

    /// Executes a script to whose answer nobody listens.
    pub(super) fn execute(&mut self, script: Script, terms: Terms) {
        match script {
            Script::LookUp { nonce } => drop(self.look_up(nonce, terms)),
            Script::Change { nonce } => drop(self.change(nonce, terms)),
            Script::Publish { set, ticket } => self.publish(set, ticket, terms),
        }
    }
}
