//! The protocol between the two tiers. Every order of its steps is run in `tollbar-contract`; change it there first.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use tracing::warn;

use super::{
    LoadLimits, OnCacheOutage, changes::Changes, loader::Loader, refresher::Refresher, tally::SessionTally,
};
use crate::{
    StoreError,
    domain::{Check, Secret, SessionSet, SessionToken, Timestamp, TokenKey, UserId},
    ports::{AllClosed, Clock, Lookup, NewSession, SessionCache, SessionStore, Ticket},
    random_bytes,
};

/// What a service chooses about its sessions.
#[derive(Debug, Clone, Copy)]
pub struct SessionOptions {
    /// How long a session lives, absolute from its login.
    pub ttl: Duration,
    /// How many sessions a user may have; one more ends the oldest.
    pub max_per_user: NonZeroUsize,
    /// What a login or logout answers when the live tier could not be told.
    pub on_cache_outage: OnCacheOutage,
    /// How much of the durable tier readers may use.
    pub loads: LoadLimits,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(30 * 60),
            max_per_user: NonZeroUsize::MIN,
            on_cache_outage: OnCacheOutage::default(),
            loads: LoadLimits::default(),
        }
    }
}

/// A session that has just been opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The client's token; this is the only time that it is known.
    pub token: SessionToken,
    /// When it expires, on the clock of this process.
    pub expires_at: Timestamp,
    /// How long it lasts.
    pub lasts: Duration,
}

/// What has become of a user's sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// How many have ended.
    pub sessions: usize,
    /// Whether the live tier is known to have heard of it: if not, other processes may believe them until what it keeps has ended by its age.
    pub confirmed: bool,
}

/// Sessions over a durable and a live tier.
pub struct TieredSessions {
    store: Arc<dyn SessionStore>,
    cache: Arc<dyn SessionCache>,
    clock: Arc<dyn Clock>,
    key: TokenKey,
    options: SessionOptions,
    loader: Arc<Loader>,
    refresher: Refresher,
    changes: Changes,
    tally: SessionTally,
}

impl TieredSessions {
    /// Sessions over these tiers, sealed with the key that the durable tier keeps.
    pub fn new(
        store: Arc<dyn SessionStore>,
        cache: Arc<dyn SessionCache>,
        clock: Arc<dyn Clock>,
        key: TokenKey,
        options: SessionOptions,
    ) -> Self {
        let loader = Arc::new(Loader::new(Arc::clone(&store), Arc::clone(&clock), options.loads));
        let refresher = Refresher::new(Arc::clone(&cache), Arc::clone(&loader));
        let (changes, tally) = (Changes::default(), SessionTally::default());
        Self { store, cache, clock, key, options, loader, refresher, changes, tally }
    }

    /// Opens a session for a user, ending the oldest beyond the bound. `None`: there is no such user.
    ///
    /// # Errors
    /// The durable tier failed; or the live tier did, and [`OnCacheOutage::Refuse`] is chosen.
    pub async fn open(&self, user: UserId) -> Result<Option<Opened>, StoreError> {
        let secret = Secret::from_bytes(random_bytes()?);
        let session = NewSession { verifier: secret.verifier(), ttl: self.options.ttl };
        let ticket = self.announce(user).await?;
        let now = self.clock.now();
        let set = self.store.open(user, session, self.options.max_per_user, now).await;
        self.changes.count(user);
        let Some(set) = set? else { return Ok(None) };
        self.publish_change(user, &set, ticket).await?;
        let token = self.key.issue(user, set.version, secret);
        Ok(Some(Opened { token, expires_at: now + self.options.ttl, lasts: self.options.ttl }))
    }

    /// Ends the session that a token names, everywhere. False: there is no live session of this token.
    ///
    /// # Errors
    /// The durable tier failed; or the live tier did, and [`OnCacheOutage::Refuse`] is chosen.
    pub async fn close(&self, token: &str) -> Result<bool, StoreError> {
        let Ok(token) = self.key.recognise(token) else { return Ok(false) };
        let user = token.user();
        let ticket = self.announce(user).await?;
        let closed = self.store.close(user, token.version(), &token.verifier(), self.clock.now()).await;
        self.changes.count(user);
        let Some(closed) = closed? else { return Ok(false) };
        // Also where nothing was changed: whoever changed it may have died before its publish.
        self.publish_change(user, &closed.set, ticket).await?;
        Ok(closed.was_live)
    }

    /// Ends all sessions of a user, everywhere. `None`: there is no such user.
    ///
    /// # Errors
    /// The durable tier failed; or the live tier did, and [`OnCacheOutage::Refuse`] is chosen.
    pub async fn close_all(&self, user: UserId) -> Result<Option<Ended>, StoreError> {
        let ticket = self.announce(user).await?;
        let closed = self.store.close_all(user, self.clock.now()).await;
        self.changes.count(user);
        let Some(AllClosed { ended: sessions, set }) = closed? else { return Ok(None) };
        // Also where nothing was changed, as above.
        let confirmed = self.publish_change(user, &set, ticket).await?;
        Ok(Some(Ended { sessions, confirmed }))
    }

    /// Whose live session a token is of. `None`: of none.
    ///
    /// # Errors
    /// The durable tier was needed and failed.
    pub async fn authenticate(&self, token: &str) -> Result<Option<UserId>, StoreError> {
        let Some(token) = self.recognise(token) else { return Ok(None) };
        Ok(self.is_live(&token).await?.then_some(token.user()))
    }

    /// Whether a token is of a live session, by the durable tier alone: for while the live one is away.
    ///
    /// # Errors
    /// The durable tier failed.
    pub async fn is_live_durably(&self, token: &SessionToken) -> Result<bool, StoreError> {
        let set = self.loader.load(token.user()).await?;
        Ok(set.is_some_and(|set| matches!(set.check(token), Check::Live(_))))
    }

    /// The token of this text, if its seal is ours: nothing is looked up.
    pub fn recognise(&self, text: &str) -> Option<SessionToken> {
        self.key.recognise(text).ok()
    }

    /// Whether a token is of a live session.
    ///
    /// # Errors
    /// The durable tier was needed and failed.
    pub async fn is_live(&self, token: &SessionToken) -> Result<bool, StoreError> {
        let user = token.user();
        let ticket = match self.cache.lookup(user).await {
            Ok(Lookup::Hit { set, ticket }) => {
                self.tally.hits.increment(1);
                match set.check(token) {
                    Check::Live(_) => return Ok(true),
                    Check::Dead => return Ok(false),
                    Check::Newer => Some(ticket),
                }
            }
            // Without a lease a reader answers from the durable tier and caches nothing.
            Ok(Lookup::Miss { ticket }) => {
                self.tally.misses.increment(1);
                ticket.lease.map(|_| ticket)
            }
            Err(error) => {
                self.tally.failures.increment(1);
                warn!(%user, ?error, "the live tier has no sessions; asking the durable one");
                None
            }
        };
        let Some(set) = self.loader.load(user).await? else { return Ok(false) };
        if let Some(ticket) = ticket {
            self.fill(user, &set, ticket).await;
        }
        Ok(matches!(set.check(token), Check::Live(_)))
    }

    /// How often this process has tried to change the sessions of a user, or of another that shares the counter. An answer that
    /// rests on a session may be repeated while this stands as it stood before the answer was asked for.
    pub fn changes(&self, user: UserId) -> u64 {
        self.changes.of(user)
    }

    /// Where its look-ups are counted.
    pub(crate) fn tally(&self) -> &SessionTally {
        &self.tally
    }

    /// First step of a change: takes over the lease and deletes the entry.
    async fn announce(&self, user: UserId) -> Result<Option<Ticket>, StoreError> {
        match (self.cache.change(user).await, self.options.on_cache_outage) {
            (Ok(ticket), _) => Ok(Some(ticket)),
            (Err(error), OnCacheOutage::Refuse) => Err(error),
            (Err(error), OnCacheOutage::Serve) => {
                warn!(%user, ?error, "the live tier was not told that sessions are about to change");
                Ok(None)
            }
        }
    }

    /// Last step of a change: publishes what the durable tier returned. Whether the live tier is known to have heard of it.
    async fn publish_change(
        &self,
        user: UserId,
        set: &SessionSet,
        ticket: Option<Ticket>,
    ) -> Result<bool, StoreError> {
        let Some(ticket) = ticket else {
            // Without the announcement there is no ticket, and the set may be older than a look-up from now on: start over.
            let confirmed = self.refresher.refresh(user).await;
            if !confirmed {
                self.tally.unconfirmed.increment(1);
                warn!(%user, "a change of sessions was not confirmed by the live tier");
            }
            return Ok(confirmed);
        };
        match (self.cache.publish(user, set, ticket).await, self.options.on_cache_outage) {
            (Ok(_), _) => Ok(true),
            (Err(error), OnCacheOutage::Refuse) => Err(error),
            (Err(error), OnCacheOutage::Serve) => {
                let confirmed = self.refresher.refresh(user).await;
                if !confirmed {
                    self.tally.unconfirmed.increment(1);
                    warn!(%user, ?error, "a change of sessions was not confirmed by the live tier");
                }
                Ok(confirmed)
            }
        }
    }

    /// Caches what a reader loaded. A failure costs only the next reader's load.
    async fn fill(&self, user: UserId, set: &SessionSet, ticket: Ticket) {
        if let Err(error) = self.cache.publish(user, set, ticket).await {
            warn!(%user, ?error, "loaded sessions were not cached");
        }
    }
}

#[cfg(test)]
mod tests;
