//! Brings the live tier up to date after a change that it did not hear of, in the background for as long as it takes.

use std::{sync::Arc, time::Duration};

use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{Instrument, debug};

use super::loader::Loader;
use crate::{
    StoreError,
    domain::UserId,
    ports::{Lookup, SessionCache},
    spans::shared_work,
};

/// How long a change waits for it: as long as a live tier takes that is well again.
const GRACE: Duration = Duration::from_millis(10);
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// For how many users at once; of further ones an old entry ends by its age.
const MOST: usize = 1024;
/// After so many attempts, about a minute, an entry has ended by its age.
const ATTEMPTS: usize = 120;

/// Refreshes users' entries. What it does is given up when it is dropped.
pub(super) struct Refresher {
    work: Arc<Work>,
    places: Arc<Semaphore>,
    stop: CancellationToken,
    _ends: DropGuard,
}

struct Work {
    cache: Arc<dyn SessionCache>,
    loader: Arc<Loader>,
}

impl Refresher {
    pub(super) fn new(cache: Arc<dyn SessionCache>, loader: Arc<Loader>) -> Self {
        let stop = CancellationToken::new();
        Self {
            work: Arc::new(Work { cache, loader }),
            places: Arc::new(Semaphore::new(MOST)),
            stop: stop.clone(),
            _ends: stop.drop_guard(),
        }
    }

    /// Refreshes a user's entry. Whether that is done already.
    pub(super) async fn refresh(&self, user: UserId) -> bool {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return false };
        let (work, stop) = (Arc::clone(&self.work), self.stop.clone());
        let refreshing = async move {
            let _place = place;
            stop.run_until_cancelled(work.persist(user)).await == Some(true)
        };
        let refreshing = tokio::spawn(refreshing.instrument(shared_work("refresh sessions")));
        matches!(tokio::time::timeout(GRACE, refreshing).await, Ok(Ok(true)))
    }
}

impl Work {
    async fn persist(&self, user: UserId) -> bool {
        let mut wait = FIRST_WAIT;
        for _ in 0..ATTEMPTS {
            match self.refresh(user).await {
                Ok(()) => return true,
                Err(error) => debug!(%user, ?error, "the live tier is not up to date yet"),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        false
    }

    /// By a reader's steps. Publishes without a lease, too: the attempt ends the lease of a reader whose load may be older than the
    /// change.
    async fn refresh(&self, user: UserId) -> Result<(), StoreError> {
        let (Lookup::Hit { ticket, .. } | Lookup::Miss { ticket }) = self.cache.lookup(user).await?;
        let Some(set) = self.loader.load(user).await? else { return Ok(()) };
        self.cache.publish(user, &set, ticket).await.map(drop)
    }
}
