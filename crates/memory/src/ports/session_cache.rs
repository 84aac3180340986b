//! `SessionCache` in memory.

use async_trait::async_trait;
use tollbar_core::{
    StoreError,
    domain::{SessionSet, UserId},
    ports::{Lookup, Published, SessionCache, Ticket},
};

use crate::live::MemoryLive;

#[async_trait]
impl SessionCache for MemoryLive {
    async fn lookup(&self, user: UserId) -> Result<Lookup, StoreError> {
        let mut sessions = self.sessions.of(user);
        // Under the lock, so that times of one user do not fall.
        let at = self.clock.now();
        if let Some(set) = sessions.get(user).and_then(|known| known.set(at)) {
            return Ok(Lookup::Hit { set, ticket: Ticket { at, lease: None } });
        }
        let lease = sessions.change(user, at).lend(|| self.nonce(), at, self.options.lease_ttl);
        Ok(Lookup::Miss { ticket: Ticket { at, lease } })
    }

    async fn change(&self, user: UserId) -> Result<Ticket, StoreError> {
        let mut sessions = self.sessions.of(user);
        let at = self.clock.now();
        let lease = sessions.change(user, at).take_over(self.nonce(), at, self.options.lease_ttl);
        Ok(Ticket { at, lease: Some(lease) })
    }

    async fn publish(&self, user: UserId, set: &SessionSet, ticket: Ticket) -> Result<Published, StoreError> {
        let mut sessions = self.sessions.of(user);
        let now = self.clock.now();
        Ok(sessions.change(user, now).publish(set, ticket, now, self.options.cache_ttl))
    }
}
