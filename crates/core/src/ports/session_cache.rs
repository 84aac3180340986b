//! Port: the live copy of durable sessions (live tier), with the leases that keep a slow reader from reviving the dead.

use async_trait::async_trait;

use crate::{
    StoreError,
    domain::{SessionSet, Timestamp, UserId},
};

/// A number that only one lease ever had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LeaseNonce(pub u64);

/// What a look-up or a change hands out, to be shown with the publish that follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// When it was handed out, on the cache's clock: an entry's lifetime is counted from here.
    pub at: Timestamp,
    /// The lease that came with it, if any: without one an absent entry is not written.
    pub lease: Option<LeaseNonce>,
}

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// The user's set as it was published last.
    Hit {
        /// The set, with the time that remains now.
        set: SessionSet,
        /// For a publish of a later version.
        ticket: Ticket,
    },
    /// Nothing is cached. With a lease in the ticket, the caller is the one to fill it.
    Miss {
        /// For the fill.
        ticket: Ticket,
    },
}

/// What a publish did. Whichever it was, no lease is out afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// The set is cached now.
    Written,
    /// The set was not needed (the same or a later version is cached) or not allowed (no entry and no live lease).
    Refused,
}

/// One entry a user: the whole set with its version. Each method is one atomic step of the engine.
///
/// An entry lives at most `session.cache_ttl`, a lease 2 seconds (the adapter's options). Both bear a stamp of the engine's
/// run where the engine may come back without its last writes; what bears another stamp is as good as absent. See
/// Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013, section 3.2.1, for leases against stale fills.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SessionCache: Send + Sync {
    /// Looks a user's set up; on a miss also hands out a lease, if none is out. A look-up does not stretch a lifetime.
    ///
    /// # Parameters
    /// - `user`: whose set.
    ///
    /// # Errors
    /// The cache failed; a lease may be out until it lapses.
    async fn lookup(&self, user: UserId) -> Result<Lookup, StoreError>;

    /// Announces a change of the durable set: deletes the entry and takes over the lease, whoever held it. The ticket
    /// always holds a lease.
    ///
    /// # Parameters
    /// - `user`: whose set is about to change.
    ///
    /// # Errors
    /// The cache failed; the entry may be gone and a lease out until it lapses.
    async fn change(&self, user: UserId) -> Result<Ticket, StoreError>;

    /// Publishes a set that the durable tier returned after the ticket was handed out. Over a present entry only a later
    /// version is written; into an absent one only while the ticket's lease is live. Ends whatever lease is out, also where it
    /// writes nothing. May be repeated.
    ///
    /// # Parameters
    /// - `user`: whose set.
    /// - `set`: the set; its sessions' remaining time is counted from `ticket.at`.
    /// - `ticket`: what the look-up or change before the durable tier's answer handed out.
    ///
    /// # Errors
    /// The cache failed; the set may have been written.
    async fn publish(&self, user: UserId, set: &SessionSet, ticket: Ticket) -> Result<Published, StoreError>;
}
