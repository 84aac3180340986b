//! The task that moves closed epochs into the ledger, and with it what keeps both tiers of counts together.

use std::{sync::Arc, time::Duration};

use futures_util::future::join5;
use metrics::{counter, gauge};
use tokio::sync::{
    mpsc::{self, Sender},
    oneshot,
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::{
    CallBook, ClosedEpoch, LiveCounts,
    adopter::Adopter,
    aftermath::{self, Flushed},
    pruner::Pruner,
    raiser::Raiser,
};
use crate::{
    StoreError,
    domain::Incarnation,
    ports::{Added, CallHistory, CallLedger, CallTracker, PendingCalls},
    random_bytes,
};

/// How counts are flushed.
#[derive(Debug, Clone, Copy)]
pub struct FlusherOptions {
    /// How often the open epoch is closed, unless a call waits for it. With a live tier that ends with the process, this is what a
    /// kill loses at most.
    pub every: Duration,
    /// How long the last flush, at shutdown, may keep trying.
    pub last: Duration,
    /// How long a process without a sign of life is taken for alive, where others could adopt its counts.
    pub claim: Duration,
}

impl Default for FlusherOptions {
    fn default() -> Self {
        Self { every: Duration::from_secs(1), last: Duration::from_secs(10), claim: Duration::from_secs(10) }
    }
}

const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// How many flushed epochs may wait for the live tier to hear of them.
const MOST_FLUSHED: usize = 64;

/// Flushes the book of one process. Epochs go one after the other and are never merged: while the ledger is away, one closed
/// epoch waits and the open one grows.
pub struct CountFlusher {
    book: Arc<CallBook>,
    ledger: Arc<dyn CallLedger>,
    history: Arc<dyn CallHistory>,
    pending: Option<Arc<dyn PendingCalls>>,
    raiser: Arc<Raiser>,
    /// Whose claim shows that this process lives, whatever it authors counts as.
    process: Incarnation,
    options: FlusherOptions,
}

impl CountFlusher {
    /// A flusher for a book whose incarnation the ledger knows. `pending`: where the live tier outlives this process and notes
    /// what is not flushed yet.
    pub fn new(
        book: Arc<CallBook>,
        ledger: Arc<dyn CallLedger>,
        history: Arc<dyn CallHistory>,
        tracker: Arc<dyn CallTracker>,
        pending: Option<Arc<dyn PendingCalls>>,
        process: Incarnation,
        options: FlusherOptions,
    ) -> Self {
        let raiser = Arc::new(Raiser::new(Arc::clone(&ledger), tracker));
        Self { book, ledger, history, pending, raiser, process, options }
    }

    /// What it knows of the live counts, from now on.
    pub fn live_counts(&self) -> LiveCounts {
        self.raiser.counts().clone()
    }

    /// Raises the live counts to the ledger's totals, page by page, unless another process is at it.
    ///
    /// # Errors
    /// Either tier failed; [`run`](Self::run) tries again.
    pub async fn raise_board(&self) -> Result<(), StoreError> {
        self.raise_board_telling(&|_| {}).await
    }

    /// The same; `told` hears how many totals have been raised, page by page, for it may be long.
    ///
    /// # Errors
    /// As [`raise_board`](Self::raise_board).
    pub async fn raise_board_telling(&self, told: &(dyn Fn(usize) + Sync)) -> Result<(), StoreError> {
        self.raiser.raise_all_telling(told).await
    }

    /// Flushes until `stop`, then once more; meanwhile, keeps the live counts up and adopts those of processes that died.
    pub async fn run(self, stop: CancellationToken) {
        let raiser = Arc::clone(&self.raiser);
        let adopter = self.pending.clone().map(|pending| Adopter {
            book: Arc::clone(&self.book),
            ledger: Arc::clone(&self.ledger),
            pending,
            raiser: Arc::clone(&raiser),
            ttl: self.options.claim,
        });
        let adopting = async {
            if let Some(adopter) = &adopter {
                adopter.run(&stop).await;
            }
        };
        let (flushed, after) = mpsc::channel(MOST_FLUSHED);
        let pending = self.pending.clone();
        let (done, followed) = oneshot::channel();
        let following = async {
            aftermath::follow(after, pending, Arc::clone(&raiser)).await;
            // Whoever flushes may have ceased to wait.
            let _ = done.send(());
        };
        // A live tier that ends with this process has nobody else to be told.
        let book = self.pending.is_some().then(|| Arc::clone(&self.book));
        let raising = raiser.run(&stop, book.as_deref());
        let pruner = Pruner { book: Arc::clone(&self.book), history: Arc::clone(&self.history) };
        let flushing = self.flush_until(&stop, flushed, followed);
        join5(flushing, following, raising, adopting, pruner.run(&stop)).await;
    }

    async fn flush_until(
        mut self,
        stop: &CancellationToken,
        flushed: Sender<Flushed>,
        followed: oneshot::Receiver<()>,
    ) {
        // Where every call waits for its flush, the book says when.
        let every = if self.options.every.is_zero() { Duration::from_secs(1) } else { self.options.every };
        loop {
            gauge!("tollbar_counts_flush_timestamp_seconds").set(self.book.now().as_secs_f64());
            let waiting = tokio::time::timeout(every, self.book.wished());
            if stop.run_until_cancelled(waiting).await.is_none() {
                break;
            }
            if self.book.was_fenced() && stop.run_until_cancelled(self.begin_anew()).await.is_none() {
                break;
            }
            if let Some(closed) = self.book.close()
                && stop.run_until_cancelled(self.flush(&closed, &flushed)).await.is_none()
            {
                self.flush_last(Some(closed), flushed, followed).await;
                return;
            }
        }
        self.flush_last(None, flushed, followed).await;
    }

    /// Flushes what is left, and closes the incarnation. What cannot be flushed in time stays noted, where it was, for others.
    async fn flush_last(
        mut self,
        closed: Option<ClosedEpoch>,
        flushed: Sender<Flushed>,
        followed: oneshot::Receiver<()>,
    ) {
        let last = self.options.last;
        self.book.tell_all();
        let flushing = async {
            if let Some(closed) = closed {
                self.flush(&closed, &flushed).await;
            }
            if let Some(closed) = self.book.close() {
                self.flush(&closed, &flushed).await;
            }
            drop(flushed);
            let _ = followed.await;
            if self.pending.is_some() && self.raiser.counts().are_behind_here() {
                // Whoever adopts it raises what the live tier has not heard of, and until then all know of it.
                if let Err(error) = self.raiser.tell(Some(&self.book)).await {
                    warn!(?error, "others were not told that the live counts lack calls");
                }
                warn!("the live counts lack calls that are in the ledger; they are left to another process");
                return;
            }
            if let Err(error) = self.ledger.close(self.book.incarnation(), &[]).await {
                warn!(?error, "the ledger was not told that this process counts no more");
            }
        };
        if tokio::time::timeout(last, flushing).await.is_err() {
            warn!("shut down without the last counts in the ledger");
        }
    }

    /// Adds one epoch, as often as it takes: adding it twice counts once.
    async fn flush(&mut self, closed: &ClosedEpoch, flushed: &Sender<Flushed>) {
        let (id, sums) = (closed.id(), closed.settled().await);
        #[cfg(feature = "sabotage")]
        let mut id = id;
        let epoch = id.epoch.get();
        let mut wait = FIRST_WAIT;
        let totals = loop {
            let pending = sums.tallies.len() + self.book.callers();
            gauge!("tollbar_counts_pending_callers")
                .set(f64::from(u32::try_from(pending).unwrap_or(u32::MAX)));
            match self.ledger.add(id, &sums).await {
                Ok(Added::Totals(totals)) => break totals,
                Ok(Added::Closed) => {
                    closed.was_adopted();
                    return self.begin_anew().await;
                }
                Err(error) => warn!(?error, epoch, "counts wait for the ledger"),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
            #[cfg(feature = "sabotage")]
            if crate::sabotage::is_chosen("no-epoch-guard") {
                // Under another name the ledger does not know the epoch again.
                id.incarnation = self.begin().await.unwrap_or(id.incarnation);
            }
        };
        closed.is_in_ledger();
        let calls = sums.tallies.iter().map(|tally| tally.calls).sum();
        counter!("tollbar_counts_flushed_calls_total").increment(calls);
        gauge!("tollbar_counts_pending_callers").set(0.0);
        debug!(epoch, tallies = sums.tallies.len(), "counts are in the ledger");
        // The live tier hears of it meanwhile: where it is silent, who waits for the next flush should not wait for it.
        let has_unheard = closed.has_unheard();
        if flushed.try_send(Flushed { id, totals, has_unheard }).is_err() {
            self.raiser.did_not_follow(has_unheard);
        }
    }

    /// Goes on as another incarnation: another process took this one for dead, and has adopted its counts.
    async fn begin_anew(&mut self) {
        warn!(incarnation = %self.book.incarnation(), "another process has adopted the counts of this one");
        let mut wait = FIRST_WAIT;
        loop {
            match self.begin().await {
                Ok(incarnation) => {
                    self.book.begin_anew(incarnation);
                    info!(%incarnation, "counting goes on under another name");
                    return;
                }
                Err(failure) => error!(error = ?failure, "no other name to count under yet"),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    async fn begin(&self) -> Result<Incarnation, StoreError> {
        let incarnation = Incarnation::from_bytes(random_bytes()?);
        self.ledger.begin(incarnation, self.process).await?;
        if let Some(pending) = &self.pending {
            // Best before the first call; the adopter repeats it.
            let _ = pending.beat(incarnation, self.options.claim).await;
        }
        Ok(incarnation)
    }
}

#[cfg(test)]
mod tests;
