//! The book of what this process has admitted since its last flush: which epoch is open, and under whose name.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{
    epoch::{ClosedEpoch, EpochBook, Outcome, Passage},
    sums::lock,
    wishes::Wishes,
};
use crate::{
    StoreError,
    domain::{ApiName, CallOutcome, Epoch, EpochId, Incarnation, Timestamp},
    ports::Clock,
};

pub(super) const COUNT: &str = "count a call";

/// What a process chooses for its counts.
#[derive(Debug, Clone, Copy)]
pub struct BookOptions {
    /// How many users one epoch may hold, each API and hour by itself; beyond that, calls are refused. As many again who were limited are told apart.
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
pub struct CallBook {
    open: Mutex<Arc<EpochBook>>,
    clock: Arc<dyn Clock>,
    options: BookOptions,
    wishes: Arc<Wishes>,
    /// Whom it was before, as far as it is not known that they are closed.
    former: Mutex<Vec<Incarnation>>,
}

impl CallBook {
    /// An empty book of this incarnation, which the ledger must know. `clock` tells in which minute a call came.
    pub fn new(incarnation: Incarnation, clock: Arc<dyn Clock>, options: BookOptions) -> Self {
        let wishes = Arc::new(Wishes::default());
        let id = EpochId { incarnation, epoch: Epoch::FIRST };
        let open = Mutex::new(EpochBook::open(id, &clock, options, &wishes));
        Self { open, clock, options, wishes, former: Mutex::default() }
    }

    /// Lets a call enter the open epoch.
    ///
    /// # Errors
    /// Transient: the ledger has been away for so long that the book is full.
    pub fn enter(&self) -> Result<Passage, StoreError> {
        let open = lock(&self.open);
        if open.callers() >= self.options.limit {
            return Err(StoreError::overloaded(COUNT));
        }
        Ok(open.admit())
    }

    /// The same for a call that may have been noted under this incarnation before. Whoever adopted it since has counted the note.
    ///
    /// # Errors
    /// Transient: another incarnation is open, or the book is full.
    pub fn enter_again(&self, incarnation: Incarnation) -> Result<Passage, StoreError> {
        let passage = self.enter()?;
        if passage.epoch().incarnation == incarnation { Ok(passage) } else { Err(StoreError::fenced(COUNT)) }
    }

    /// Notes what became of a call that counts for nobody. It is told with the open epoch; a kill loses what was not flushed.
    pub fn note(&self, api: &ApiName, outcome: CallOutcome) {
        lock(&self.open).note(api, outcome, self.options.limit);
    }

    /// How many users the open epoch holds, each API and hour by itself.
    pub(super) fn callers(&self) -> usize {
        lock(&self.open).callers()
    }

    /// Closes the open epoch and opens the next. `None`: nothing has entered it, so it stays open.
    pub fn close(&self) -> Option<ClosedEpoch> {
        let mut open = lock(&self.open);
        // Passages are made under this lock, so none can appear while it is looked at.
        if open.is_empty() {
            return None;
        }
        let id = EpochId { epoch: open.id().epoch.next(), ..open.id() };
        let next = EpochBook::open(id, &self.clock, self.options, &self.wishes);
        Some(std::mem::replace(&mut *open, Arc::clone(&next)).close(&next))
    }

    /// From now on each epoch tells what became of its calls, for no later one may come.
    pub(super) fn tell_all(&self) {
        self.wishes.tell_all();
    }

    /// The time by which its calls are told apart.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Who authors the open epoch.
    pub fn incarnation(&self) -> Incarnation {
        lock(&self.open).id().incarnation
    }

    /// Goes on as another incarnation, which the ledger must know. What the open epoch holds was adopted: who waits for it is told.
    pub fn begin_anew(&self, incarnation: Incarnation) {
        let id = EpochId { incarnation, epoch: Epoch::FIRST };
        let next = EpochBook::open(id, &self.clock, self.options, &self.wishes);
        let former = std::mem::replace(&mut *lock(&self.open), next);
        former.tell(Outcome::Adopted);
        lock(&self.former).push(former.id().incarnation);
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

impl fmt::Debug for CallBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallBook").field("open", &self.open).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
