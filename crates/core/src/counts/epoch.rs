//! One epoch: the calls that go through it, and who waits for it to be in the ledger.

use std::{
    fmt,
    pin::pin,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::select;
use tokio::sync::{Notify, watch};

use super::{
    book::{BookOptions, COUNT},
    sums::{Sealed, Sums, lock},
    wishes::Wishes,
};
use crate::{
    StoreError,
    domain::{ApiName, CallOutcome, EpochId, EpochSums, UserId},
    ports::Clock,
};

/// How long an epoch that calls wait for waits for those in flight: longer than a trip to a live tier that is well.
const DRAIN: Duration = Duration::from_millis(5);

pub(super) struct EpochBook {
    id: EpochId,
    clock: Arc<dyn Clock>,
    page: Mutex<Page>,
    in_flight: AtomicUsize,
    settled: Notify,
    /// The one that was opened when this one was closed.
    next: OnceLock<Arc<Self>>,
    outcome: watch::Sender<Outcome>,
    commit_first: bool,
    patience: Duration,
    wishes: Arc<Wishes>,
}

/// What an epoch has counted.
#[derive(Debug, Default)]
struct Page {
    sums: Sums,
    /// What the ledger is told; nothing is added to it any more.
    sealed: Option<Arc<Sealed>>,
    /// Whether it has calls of which the live tier has not heard.
    has_unheard: bool,
}

/// What has become of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
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
pub struct Counted {
    epoch: Arc<EpochBook>,
    /// It was noted under an earlier epoch, which the ledger has without it: no note of it counts any more.
    is_late: bool,
}

/// An epoch that no further call can enter.
#[derive(Debug)]
pub struct ClosedEpoch(Arc<EpochBook>);

impl EpochBook {
    pub(super) fn open(
        id: EpochId,
        clock: &Arc<dyn Clock>,
        options: BookOptions,
        wishes: &Arc<Wishes>,
    ) -> Arc<Self> {
        Arc::new(Self {
            id,
            clock: Arc::clone(clock),
            page: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            settled: Notify::new(),
            next: OnceLock::new(),
            outcome: watch::Sender::new(Outcome::Open),
            commit_first: options.commit_first,
            patience: options.patience,
            wishes: Arc::clone(wishes),
        })
    }

    pub(super) fn id(&self) -> EpochId {
        self.id
    }

    /// How many users it has counted, each API and hour by itself.
    pub(super) fn callers(&self) -> usize {
        lock(&self.page).sums.callers()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) == 0 && lock(&self.page).sums.is_empty()
    }

    /// Lets a call in. Only under the lock of who opens and closes epochs, so that none can appear in a closed one.
    pub(super) fn admit(self: &Arc<Self>) -> Passage {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Passage(Arc::clone(self))
    }

    /// Ends it for further calls; those in flight that come too late for it are counted in `next`.
    pub(super) fn close(self: Arc<Self>, next: &Arc<Self>) -> ClosedEpoch {
        self.next.get_or_init(|| Arc::clone(next));
        ClosedEpoch(self)
    }

    /// Says what has become of it to those who wait for it.
    pub(super) fn tell(&self, outcome: Outcome) {
        self.outcome.send_replace(outcome);
    }

    /// Whether the call was counted: what is sealed counts no more.
    fn count(&self, api: &ApiName, user: UserId, is_unheard: bool) -> bool {
        let mut page = lock(&self.page);
        let is_open = page.sealed.is_none();
        if is_open {
            page.sums.count(api, user, self.clock.now());
            page.has_unheard |= is_unheard;
        }
        is_open
    }

    /// Notes what became of a call that counts for nobody. Only under the lock of who opens and closes epochs: what is sealed takes no more.
    pub(super) fn note(&self, api: &ApiName, outcome: CallOutcome, limit: usize) {
        lock(&self.page).sums.note(api, outcome, self.clock.now(), limit);
    }

    /// Ends what is counted in it. What became of calls is told with a later epoch where this one is committed for those who wait.
    fn seal(&self) -> Arc<Sealed> {
        let mut page = lock(&self.page);
        if let Some(sealed) = &page.sealed {
            return Arc::clone(sealed);
        }
        let tells = page.sums.is_empty() || self.wishes.is_time_to_tell(self.clock.steady());
        // Epochs are locked in their order only. One that is sealed takes nothing more.
        let mut next = self.next.get().map(|next| lock(&next.page)).filter(|next| next.sealed.is_none());
        let sealed = page.sums.seal(tells, next.as_deref_mut().map(|next| &mut next.sums));
        Arc::clone(page.sealed.insert(Arc::new(sealed)))
    }

    async fn drained(&self) {
        loop {
            let settled = self.settled.notified();
            if self.in_flight.load(Ordering::Acquire) == 0 {
                return;
            }
            settled.await;
        }
    }
}

impl fmt::Debug for EpochBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EpochBook").field("id", &self.id).field("page", &self.page).finish_non_exhaustive()
    }
}

impl Drop for EpochBook {
    fn drop(&mut self) {
        // One after the other: a call that waits for long may hold a long row of them.
        let mut next = self.next.take();
        while let Some(mut epoch) = next.and_then(Arc::into_inner) {
            next = epoch.next.take();
        }
    }
}

impl Passage {
    /// Under which epoch the call will be counted.
    pub fn epoch(&self) -> EpochId {
        self.0.id
    }

    /// Passes on the failure of an engine that may have noted the call. Where it says that this incarnation is fenced, the process goes on
    /// as another.
    pub fn heed(&self, error: StoreError) -> StoreError {
        if error.is_fenced() {
            *lock(&self.0.wishes.fenced) = Some(self.0.id.incarnation);
            self.0.wishes.any.notify_one();
        }
        error.perhaps_noted(self.0.id.incarnation)
    }

    /// Counts a call that the live tier has counted: in its epoch or, where the ledger has been told of that already, in the next that it has not been
    /// told of.
    pub fn count(self, api: &ApiName, user: UserId) -> Counted {
        self.count_as(api, user, false)
    }

    /// The same for a call of which the live tier has not heard.
    pub fn count_unheard(self, api: &ApiName, user: UserId) -> Counted {
        self.count_as(api, user, true)
    }

    fn count_as(self, api: &ApiName, user: UserId, is_unheard: bool) -> Counted {
        let (mut epoch, mut is_late) = (Arc::clone(&self.0), false);
        while !epoch.count(api, user, is_unheard) {
            let next =
                epoch.next.get().expect("an epoch is closed, and the next one opened, before it is sealed");
            (epoch, is_late) = (Arc::clone(next), true);
        }
        Counted { epoch, is_late }
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
    /// Transient: the book commits first or the call came late, and the ledger has not taken the epoch in time. The call may be counted later.
    pub async fn acknowledge(self) -> Result<(), StoreError> {
        if self.epoch.commit_first || self.is_late { self.commit().await } else { Ok(()) }
    }

    /// Returns when the call is in the ledger; calls that wait at the same time share its transaction.
    ///
    /// # Errors
    /// Transient: the ledger has not taken the epoch in time. The call may be counted later.
    pub async fn commit(self) -> Result<(), StoreError> {
        let Self { epoch, is_late } = self;
        let mut outcome = epoch.outcome.subscribe();
        // Late calls press nobody, or each epoch that was cut short for them would make others late.
        let _wish = (!is_late).then(|| epoch.wishes.wait());
        epoch.wishes.any.notify_one();
        let known = outcome.wait_for(|outcome| *outcome != Outcome::Open);
        match tokio::time::timeout(epoch.patience, known).await {
            Ok(Ok(outcome)) if *outcome == Outcome::InLedger => Ok(()),
            Ok(_) => Err(StoreError::fenced(COUNT)),
            Err(_) => Err(StoreError::deadline(COUNT, epoch.patience).of_durable_tier()),
        }
    }
}

impl ClosedEpoch {
    /// Whose epoch it is, and which.
    pub fn id(&self) -> EpochId {
        self.0.id
    }

    /// Waits until nothing is in flight, then seals the epoch and gives its sums. The wait is bounded by the deadlines of the engines; where
    /// a call waits for the ledger, it is short, and what is in flight still is counted in the next epoch.
    pub async fn settled(&self) -> EpochSums {
        let is_sealed = lock(&self.0.page).sealed.is_some();
        if !is_sealed {
            let (drained, pressed) = (pin!(self.0.drained()), pin!(self.0.wishes.pressed(DRAIN)));
            select(drained, pressed).await;
        }
        // Listing them takes a while, and calls that come late should not wait for it.
        self.0.seal().listed()
    }

    /// Whether the live tier has not heard of all of it.
    pub fn has_unheard(&self) -> bool {
        lock(&self.0.page).has_unheard
    }

    /// Tells those who wait for it that it is in the ledger.
    pub fn is_in_ledger(&self) {
        self.0.tell(Outcome::InLedger);
    }

    /// Tells those who wait for it that it is not: its author was adopted before.
    pub fn was_adopted(&self) {
        self.0.tell(Outcome::Adopted);
    }
}

#[cfg(test)]
mod tests;
