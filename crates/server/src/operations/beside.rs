//! The tiers, opened beside the processes that serve from them.

use std::{sync::Arc, time::Duration};

use tollbar_core::{
    Operations, StoreError,
    domain::Incarnation,
    gate::LiveProcesses,
    policies::Policies,
    ports::{Fact, LeaseError, Sharing, SystemClock},
    random_bytes,
};

use super::Here;
use crate::{cli::CommandError, durable::Durable, live::Live, settings::Settings, start_error::StartError};

/// Both tiers as the settings name them. Nothing of them was made or migrated.
pub(crate) struct Beside {
    pub(crate) here: Here,
    durable: Durable,
    live: Live,
    claim: Option<Incarnation>,
    claim_lasts: Duration,
}

impl Beside {
    /// Opens them.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, CommandError> {
        let durable = Durable::open_beside(&settings.database).await?;
        if let Some(redis) = &settings.redis {
            let partitions = redis.partitions.to_string();
            is_as_it_was(&durable, Fact::RedisPrefix, "redis.prefix", &redis.prefix).await?;
            is_as_it_was(&durable, Fact::RedisPartitions, "redis.partitions", &partitions).await?;
        }
        let (clock, policies) = (Arc::new(SystemClock), Policies::new(settings.policies.table()));
        let (redis, cache_ttl) = (settings.redis.as_ref(), settings.session.cache_ttl);
        let live = Live::start(redis, cache_ttl, clock.clone(), LiveProcesses::default()).await?;
        let options = settings.session.options;
        let operations =
            Operations::beside(durable.tier.clone(), &live.tier, clock, policies, options).await?;
        let here = Here::new(Arc::new(operations), redis.map(|_| cache_ttl));
        Ok(Self { here, durable, live, claim: None, claim_lasts: settings.database.claim })
    }

    /// Makes sure that no process serves from the database with a live tier of its own, and that none begins to before
    /// [`end`](Self::end). False: one does.
    pub(crate) async fn claim(&mut self) -> Result<bool, StoreError> {
        let process = Incarnation::from_bytes(random_bytes()?);
        match self.durable.lease.hold(process, Sharing::Alone, self.claim_lasts).await {
            Ok(_) => {
                self.claim = Some(process);
                Ok(true)
            }
            Err(LeaseError::Taken) => Ok(false),
            Err(LeaseError::Store(error)) => Err(error),
        }
    }

    /// Gives everything back. A claim that could not be given back ends by itself.
    pub(crate) async fn end(self) {
        if let Some(process) = self.claim {
            drop(self.durable.lease.release(process).await);
        }
        self.live.end().await;
    }
}

/// Refuses a setting that differs from what the processes that serve were told: what is meant would be looked for elsewhere.
async fn is_as_it_was(durable: &Durable, fact: Fact, key: &'static str, set: &str) -> Result<(), StartError> {
    match durable.tier.installation.kept(fact).await? {
        Some(kept) if kept != set.as_bytes() => {
            let kept = String::from_utf8_lossy(&kept).into_owned();
            Err(StartError::Changed { key, set: set.to_owned(), kept })
        }
        _ => Ok(()),
    }
}
