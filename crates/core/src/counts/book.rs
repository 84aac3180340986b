//! The open epoch: what this process has admitted since its last flush.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Notify, watch};

use super::sums::{Sums, lock};
use crate::{
    StoreError,
    domain::{ApiName, Epoch, EpochId, Incarnation, Tally, UserId},
};

const COUNT: &str = "count a call";

/// What a process chooses for its counts.
#[derive(Debug, Clone, Copy)]
pub struct BookOptions {
    /// Different pairs of API and user that one epoch may hold; beyond that, calls are refused.
    pub limit: usize,
    /// Whether every call waits for its epoch to be in the ledger before it is acknowledged.
    pub commit_first: bool,
    /// How long a call may wait for that.
    pub patience: Duration,
}

impl Default for BookOptions {
    fn default() -> Self {
        Self { limit: 1_000_000, commit_first: false, patience: Duration::from_secs(1) }
    }
}

/// The counts that are not in the ledger yet.
///
/// A call enters the open epoch before it is decided and stays in flight there until it is counted or dropped, so an epoch
/// that is closed and has nothing in flight is complete.
#[derive(Debug)]
pub struct CallBook {
    open: Mutex<Arc<EpochBook>>,
    options: BookOptions,
    wishes: Arc<Wishes>,
    /// Whom it was before, as far as it is not known that they are closed.
    former: Mutex<Vec<Incarnation>>,
}

/// What calls ask of the flusher.
#[derive(Debug, Default)]
struct Wishes {
    /// Somebody waits for the ledger, or was fenced.
    any: Notify,
    /// Who was fenced last.
    fenced: Mutex<Option<Incarnation>>,
}

#[derive(Debug)]
struct EpochBook {
    id: EpochId,
    sums: Mutex<Sums>,
    in_flight: AtomicUsize,
    settled: Notify,
    outcome: watch::Sender<Outcome>,
    commit_first: bool,
    patience: Duration,
    wishes: Arc<Wishes>,
}

/// What has become of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Open,
    InLedger,
    /// Another process has adopted what a live tier had noted of it.
    Adopted,
}

/// One call's way through an epoch. Dropped without [`count`](Self::count), it leaves no trace.
#[derive(Debug)]
pub struct Passage(Arc<EpochBook>);

/// A call that is counted, and not acknowledged yet.
#[derive(Debug)]
#[must_use = "a call is acknowledged when its count is safe"]
pub struct Counted(Arc<EpochBook>);

/// An epoch that no further call can enter.
#[derive(Debug)]
pub struct ClosedEpoch(Arc<EpochBook>);

impl CallBook {
    /// An empty book of this incarnation, which the ledger must know.
    pub fn new(incarnation: Incarnation, options: BookOptions) -> Self {
        let wishes = Arc::new(Wishes::default());
        let id = EpochId { incarnation, epoch: Epoch::FIRST };
        let open = Mutex::new(EpochBook::open(id, options, &wishes));
        Self { open, options, wishes, former: Mutex::default() }
    }

    /// Lets a call enter the open epoch.
    ///
    /// # Errors
    /// Transient: the ledger has been away for so long that the book is full.
    pub fn enter(&self) -> Result<Passage, StoreError> {
        let open = lock(&self.open);
        if lock(&open.sums).pairs() >= self.options.limit {
            return Err(StoreError::overloaded(COUNT));
        }
        open.in_flight.fetch_add(1, Ordering::Relaxed);
        Ok(Passage(Arc::clone(&open)))
    }

    /// Closes the open epoch and opens the next. `None`: nothing has entered it, so it stays open.
    pub fn close(&self) -> Option<ClosedEpoch> {
        let mut open = lock(&self.open);
        // Passages are made under this lock, so none can appear while it is looked at.
        if open.in_flight.load(Ordering::Acquire) == 0 && lock(&open.sums).pairs() == 0 {
            return None;
        }
        let id = EpochId { epoch: open.id.epoch.next(), ..open.id };
        let next = EpochBook::open(id, self.options, &self.wishes);
        Some(ClosedEpoch(std::mem::replace(&mut open, next)))
    }

    /// Who authors the open epoch.
    pub fn incarnation(&self) -> Incarnation {
        lock(&self.open).id.incarnation
    }

    /// Goes on as another incarnation, which the ledger must know. What the open epoch holds was adopted: who waits for it is told.
    pub fn begin_anew(&self, incarnation: Incarnation) {
        let id = EpochId { incarnation, epoch: Epoch::FIRST };
        let former =
            std::mem::replace(&mut *lock(&self.open), EpochBook::open(id, self.options, &self.wishes));
        former.outcome.send_replace(Outcome::Adopted);
        lock(&self.former).push(former.id.incarnation);
    }

    /// Whom it was before: whoever fenced them may not have come to the end of their adoption.
    pub(super) fn former(&self) -> Vec<Incarnation> {
        lock(&self.former).clone()
    }

    /// Says that one of them is closed.
    pub(super) fn is_closed(&self, former: Incarnation) {
        lock(&self.former).retain(|other| *other != former);
    }

    /// Returns when a call waits for the ledger or was fenced since the last time.
    pub(crate) async fn wished(&self) {
        self.wishes.any.notified().await;
    }

    /// Whether a call of the present incarnation was fenced. What a former one hears late says nothing of this one.
    pub(crate) fn was_fenced(&self) -> bool {
        *lock(&self.wishes.fenced) == Some(self.incarnation())
    }
}

impl EpochBook {
    fn open(id: EpochId, options: BookOptions, wishes: &Arc<Wishes>) -> Arc<Self> {
        Arc::new(Self {
            id,
            sums: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            settled: Notify::new(),
            outcome: watch::Sender::new(Outcome::Open),
            commit_first: options.commit_first,
            patience: options.patience,
            wishes: Arc::clone(wishes),
        })
    }
}

impl Passage {
    /// Under which epoch the call will be counted.
    pub fn epoch(&self) -> EpochId {
        self.0.id
    }

    /// Passes an engine's failure on. Where it says that this incarnation is fenced, the process goes on as another.
    pub fn heed(&self, error: StoreError) -> StoreError {
        if error.is_fenced() {
            *lock(&self.0.wishes.fenced) = Some(self.0.id.incarnation);
            self.0.wishes.any.notify_one();
        }
        error
    }

    /// Counts the call.
    pub fn count(self, api: &ApiName, user: UserId) -> Counted {
        lock(&self.0.sums).count(api, user);
        Counted(Arc::clone(&self.0))
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        if self.0.in_flight.fetch_sub(1, Ordering::Release) == 1 {
            self.0.settled.notify_waiters();
        }
    }
}

impl Counted {
    /// Returns when the call may be acknowledged: at once, where a live tier has noted it or the last flush may be lost.
    ///
    /// # Errors
    /// Transient: the book commits first, and the ledger has not taken the epoch in time. The call may be counted later.
    pub async fn acknowledge(self) -> Result<(), StoreError> {
        if self.0.commit_first { self.commit().await } else { Ok(()) }
    }

    /// Returns when the call is in the ledger; calls that wait at the same time share its transaction.
    ///
    /// # Errors
    /// Transient: the ledger has not taken the epoch in time. The call may be counted later.
    pub async fn commit(self) -> Result<(), StoreError> {
        let mut outcome = self.0.outcome.subscribe();
        self.0.wishes.any.notify_one();
        let known = outcome.wait_for(|outcome| *outcome != Outcome::Open);
        match tokio::time::timeout(self.0.patience, known).await {
            Ok(Ok(outcome)) if *outcome == Outcome::InLedger => Ok(()),
            Ok(_) => Err(StoreError::fenced(COUNT)),
            Err(_) => Err(StoreError::deadline(COUNT, self.0.patience).of_durable_tier()),
        }
    }
}

impl ClosedEpoch {
    /// Whose epoch it is, and which.
    pub fn id(&self) -> EpochId {
        self.0.id
    }

    /// Waits until nothing is in flight, then gives the epoch's sums. The wait is bounded by the deadlines of the engines.
    pub async fn settled(&self) -> Vec<Tally> {
        loop {
            let settled = self.0.settled.notified();
            if self.0.in_flight.load(Ordering::Acquire) == 0 {
                break;
            }
            settled.await;
        }
        lock(&self.0.sums).tallies()
    }

    /// Tells those who wait for it that it is in the ledger.
    pub fn is_in_ledger(&self) {
        self.0.outcome.send_replace(Outcome::InLedger);
    }

    /// Tells those who wait for it that it is not: its author was adopted before.
    pub fn was_adopted(&self) {
        self.0.outcome.send_replace(Outcome::Adopted);
    }
}

#[cfg(test)]
mod tests;
