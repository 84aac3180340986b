//! Adoption: the epochs of a process that died are put into the ledger by another, from what the live tier has noted of them.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{CallBook, raiser::Raiser};
use crate::{
    StoreError,
    domain::{Epoch, EpochId, EpochSums, Incarnation},
    ports::{CallLedger, PendingCalls},
};

/// How many epochs of an incarnation may be noted and not be in the ledger: one that is closed, and the open one.
const UNFLUSHED: usize = 2;

/// Says that this process lives, and looks after those that do not.
pub(super) struct Adopter {
    pub(super) book: Arc<CallBook>,
    pub(super) ledger: Arc<dyn CallLedger>,
    pub(super) pending: Arc<dyn PendingCalls>,
    pub(super) raiser: Arc<Raiser>,
    /// How long a process is believed to live without a sign.
    pub(super) ttl: Duration,
}

impl Adopter {
    /// Beats and adopts until `stop`.
    pub(super) async fn run(&self, stop: &CancellationToken) {
        loop {
            let incarnation = self.book.incarnation();
            let round = async {
                // Each for itself: either tier may be away.
                if let Err(error) = self.pending.beat(incarnation, self.ttl).await {
                    warn!(?error, "the live tier was not told that this process lives");
                }
                if let Err(error) = self.adopt_orphans(incarnation).await {
                    warn!(?error, "processes that died are not adopted yet");
                }
                tokio::time::sleep(self.ttl / 3).await;
            };
            if stop.run_until_cancelled(round).await.is_none() {
                return;
            }
        }
    }

    async fn adopt_orphans(&self, own: Incarnation) -> Result<(), StoreError> {
        // One that cannot be adopted, for whatever reason, does not keep the others from it.
        let mut first = Ok(());
        for incarnation in self.ledger.orphans().await? {
            if incarnation != own {
                first = first.and(self.adopt_if_dead(incarnation).await);
            }
        }
        // Their process lives, so they are nobody's orphans.
        for incarnation in self.book.former() {
            let adopted = self.adopt(incarnation).await;
            if adopted.is_ok() {
                self.book.is_closed(incarnation);
            }
            first = first.and(adopted);
        }
        first
    }

    async fn adopt_if_dead(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        // One that only cannot reach the database goes on to admit calls by the live tier.
        if self.pending.beats(incarnation).await? { Ok(()) } else { self.adopt(incarnation).await }
    }

    /// Fences an incarnation, then puts into the ledger what it has noted. It may live, and may be adopted by others at the same
    /// time: the fence keeps its epochs from growing, and the ledger takes each of them once.
    async fn adopt(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        self.pending.fence(incarnation).await?;
        // Only now: what it has flushed before the fence tells which epochs can have been noted.
        let Some(last) = self.ledger.last_added(incarnation).await? else { return Ok(()) };
        let mut epochs = Vec::new();
        let after_last = std::iter::successors(Some(last.next()), |epoch: &Epoch| Some(epoch.next()));
        for epoch in after_last.take(UNFLUSHED) {
            let noted = self.pending.pending(EpochId { incarnation, epoch }).await?;
            // Of the time, a note says nothing; it was a moment ago.
            epochs.push((epoch, EpochSums::about(self.book.now(), noted)));
        }
        if self.raiser.counts().are_behind() {
            // Once it is closed, what it said of them is forgotten.
            self.raiser.miss();
            self.raiser.tell(Some(&self.book)).await?;
        }
        // It may have put calls into the ledger of which the live tier has not heard.
        let closing = async { self.ledger.close(incarnation, &epochs).await.map(drop) };
        self.raiser.raise_all_after(closing).await?;
        let calls: u64 = epochs.iter().flat_map(|(_, sums)| &sums.tallies).map(|tally| tally.calls).sum();
        metrics::counter!("tollbar_counts_adopted_calls_total").increment(calls);
        info!(%incarnation, calls, "adopted the counts of a process that gave no sign");
        for (epoch, _) in epochs {
            self.pending.settle(EpochId { incarnation, epoch }).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
