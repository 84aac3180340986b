//! `SessionCache` on Redis: each method is one script.

use async_trait::async_trait;
use fred::types::Value;
use tollbar_core::{
    StoreError,
    domain::{SessionSet, Timestamp, UserId},
    ports::{LeaseNonce, Lookup, Published, SessionCache, Ticket},
};

use crate::{
    engine::Sending::{Once, Repeatable},
    live::RedisLive,
    reply::{Misshapen, bytes, items, number, time},
    scripts::{CHANGE, LOOKUP, PUBLISH},
    set_codec,
};

const LOOK_UP: &str = "look a cached session up";
const ANNOUNCE: &str = "announce a change of sessions";
const PUBLISH_SET: &str = "publish sessions";

#[async_trait]
impl SessionCache for RedisLive {
    async fn lookup(&self, user: UserId) -> Result<Lookup, StoreError> {
        let nonce = self.nonce();
        let arguments = self
            .timed([self.shared.keys.record(user), self.shared.keys.lease(user)])
            .bytes(nonce.0.to_be_bytes().to_vec())
            .number(micros(self.shared.lease_ttl));
        // Once: a copy that is executed late would give this reader the lease anew, after a change has ended it.
        let answer = self
            .shared
            .engine
            .run(self.shared.keys.partition(user), LOOK_UP, Once, &LOOKUP, arguments)
            .await?;
        found(answer, nonce).map_err(Misshapen::of(LOOK_UP))
    }

    async fn change(&self, user: UserId) -> Result<Ticket, StoreError> {
        let nonce = self.nonce();
        let arguments = self
            .timed([self.shared.keys.record(user), self.shared.keys.lease(user)])
            .bytes(nonce.0.to_be_bytes().to_vec())
            .number(micros(self.shared.lease_ttl));
        // Once: a copy that is executed late would take over the lease from a change that came after.
        let answer = self
            .shared
            .engine
            .run(self.shared.keys.partition(user), ANNOUNCE, Once, &CHANGE, arguments)
            .await?;
        let at = time(&answer).map_err(Misshapen::of(ANNOUNCE))?;
        Ok(Ticket { at, lease: Some(nonce) })
    }

    async fn publish(&self, user: UserId, set: &SessionSet, ticket: Ticket) -> Result<Published, StoreError> {
        let nonce = ticket.lease.map_or_else(Vec::new, |nonce| nonce.0.to_be_bytes().to_vec());
        let arguments = self
            .timed([self.shared.keys.record(user), self.shared.keys.lease(user)])
            .number(ticket.at.as_micros())
            .bytes(nonce)
            .number(micros(self.shared.lease_ttl))
            .number(micros(self.shared.cache_ttl))
            .bytes(set.version.get().to_be_bytes().to_vec())
            .bytes(set_codec::pack(set));
        let answer = self
            .shared
            .engine
            .run(self.shared.keys.partition(user), PUBLISH_SET, Repeatable, &PUBLISH, arguments)
            .await?;
        match number(&answer) {
            Ok(1) => Ok(Published::Written),
            Ok(0) => Ok(Published::Refused),
            _ => Err(Misshapen::of(PUBLISH_SET)(Misshapen)),
        }
    }
}

fn found(answer: Value, nonce: LeaseNonce) -> Result<Lookup, Misshapen> {
    let answer = items(answer)?;
    let (now, rest) = answer.split_first().ok_or(Misshapen)?;
    let at = time(now)?;
    let (kind, rest) = rest.split_first().ok_or(Misshapen)?;
    match (number(kind)?, rest) {
        (0, []) => Ok(Lookup::Miss { ticket: Ticket { at, lease: None } }),
        (1, []) => Ok(Lookup::Miss { ticket: Ticket { at, lease: Some(nonce) } }),
        (2, [entry]) => {
            let set = set_codec::unpack(bytes(entry)?, at)?;
            Ok(Lookup::Hit { set, ticket: Ticket { at, lease: None } })
        }
        _ => Err(Misshapen),
    }
}

fn micros(span: std::time::Duration) -> u64 {
    (Timestamp::default() + span).as_micros()
}
