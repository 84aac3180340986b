//! Keeps the live counts at least as high as the ledger, whatever the live tier loses.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{CallBook, LiveCounts, announcer::Announcer, owed::Owed, sums::lock};
use crate::{
    StoreError,
    domain::{ApiName, Caller, Tally},
    ports::{CallLedger, CallTracker, RaiseId},
};

/// How often the live tier is asked whether it has lost anything.
const LOOK: Duration = Duration::from_millis(500);
/// The same while it is known to have lost something: whoever asks is told of the ledger meanwhile.
const LOOK_BEHIND: Duration = Duration::from_millis(100);

/// Raises live counts: those of an epoch after its flush, and all of them where something was lost.
pub(super) struct Raiser {
    ledger: Arc<dyn CallLedger>,
    tracker: Arc<dyn CallTracker>,
    /// Something may be missing, though the live tier may take itself for whole.
    suspects: AtomicBool,
    /// The same, but it may as well be what somebody owes: to be suspected once nobody does.
    doubts: AtomicBool,
    /// Something is, which only a raise of all makes up for.
    misses: AtomicBool,
    /// Whether something is.
    counts: LiveCounts,
    /// Somebody has found out that it is.
    missed: Notify,
    announcer: Announcer,
    /// What it could not be raised to yet. Who holds it raises.
    owed: tokio::sync::Mutex<Owed>,
    /// Of each API, a total that the board has had: where it has it no more, it has lost something. New callers alone could not
    /// tell, for what they have called since then is all that they ever called.
    witnesses: Mutex<HashMap<ApiName, Caller>>,
    /// A raise that was begun, or may have been, and did not get to its end. The live tier lets nobody begin another for a while, but
    /// this one again.
    unfinished: Mutex<Option<RaiseId>>,
}

impl Raiser {
    pub(super) fn new(ledger: Arc<dyn CallLedger>, tracker: Arc<dyn CallTracker>) -> Self {
        let counts = LiveCounts::default();
        Self {
            announcer: Announcer::new(Arc::clone(&ledger), counts.clone()),
            ledger,
            tracker,
            suspects: AtomicBool::new(false),
            doubts: AtomicBool::new(false),
            misses: AtomicBool::new(false),
            counts,
            missed: Notify::new(),
            owed: tokio::sync::Mutex::default(),
            witnesses: Mutex::default(),
            unfinished: Mutex::default(),
        }
    }

    /// What it knows of the live counts.
    pub(super) fn counts(&self) -> &LiveCounts {
        &self.counts
    }

    /// Looks after the live tier until `stop`; where others share it, `book` is whose name tells them.
    pub(super) async fn run(&self, stop: &CancellationToken, book: Option<&CallBook>) {
        let (mut was_well, mut since_look) = (true, Duration::ZERO);
        loop {
            let pause = if self.counts.are_behind() { LOOK_BEHIND } else { LOOK };
            let woken = tokio::time::timeout(pause, self.missed.notified());
            if stop.run_until_cancelled(woken).await.is_none() {
                break;
            }
            since_look += pause;
            let looks = self.counts.are_behind_here() || since_look >= LOOK;
            if looks {
                since_look = Duration::ZERO;
            }
            let round = async {
                // Before a raise, which may take long, and after it.
                let told = self.tell(book).await;
                let looked = if looks { self.look().await } else { Ok(()) };
                let told_again = self.tell(book).await;
                let heard = if book.is_some() { self.announcer.hear().await } else { Ok(()) };
                // Each for itself: either tier may be away.
                told.and(looked).and(told_again).and(heard)
            };
            match stop.run_until_cancelled(round).await {
                Some(Err(error)) => {
                    // Once for each outage.
                    if std::mem::take(&mut was_well) {
                        warn!(?error, "the live counts may be behind the ledger");
                    }
                }
                Some(Ok(())) => was_well = true,
                None => break,
            }
        }
    }

    /// Tells other processes whether the live counts lack what this one has added, where there are others.
    pub(super) async fn tell(&self, book: Option<&CallBook>) -> Result<(), StoreError> {
        match book {
            Some(book) => self.announcer.tell(book).await,
            None => Ok(()),
        }
    }

    async fn look(&self) -> Result<(), StoreError> {
        {
            let mut owed = self.owed.lock().await;
            if !owed.is_empty() {
                self.pay(&mut owed).await?;
            }
        }
        if !self.counts.are_behind() && self.doubts.swap(false, Ordering::Relaxed) {
            self.suspect();
        }
        if self.suspects.load(Ordering::Relaxed) || !self.tracker.is_whole().await? {
            self.raise_all().await?;
        }
        // Also where another process is at it, maybe for reasons of its own, or began and died: what is lost is not what this one owes.
        self.still_lacks().await;
        Ok(())
    }

    /// Says what the live counts lack of this process now.
    async fn still_lacks(&self) {
        let is_owed = self.owed.lock().await.has_unheard();
        self.counts.set_here(is_owed || self.misses.load(Ordering::Relaxed));
    }

    /// Says that the live counts may lack something.
    fn suspect(&self) {
        self.suspects.store(true, Ordering::Relaxed);
    }

    /// Says that they do, and that only a raise of all makes up for it.
    pub(super) fn miss(&self) {
        self.suspect();
        self.misses.store(true, Ordering::Relaxed);
        self.are_behind();
    }

    fn are_behind(&self) {
        if !self.counts.are_behind_here() {
            self.counts.set_here(true);
            self.missed.notify_one();
        }
    }

    /// Says that the live counts were not raised to the totals of an epoch, which nobody remembers. `has_unheard`: where not all of it was
    /// counted live.
    pub(super) fn did_not_follow(&self, has_unheard: bool) {
        if has_unheard {
            self.miss();
        } else {
            self.suspect();
        }
    }

    /// Raises the live counts to these totals, as an epoch left them, and to what is owed from former ones. `has_unheard`: where not all
    /// of it was counted live.
    pub(super) async fn follow(&self, totals: &[Tally], has_unheard: bool) {
        let mut owed = self.owed.lock().await;
        owed.add(totals, has_unheard);
        if self.pay(&mut owed).await.is_ok() {
            return;
        }
        let lacks = owed.has_unheard();
        if owed.is_too_much() {
            owed.clear();
            self.did_not_follow(lacks);
        } else if lacks {
            self.are_behind();
        }
    }

    /// Raises the live counts to what is owed, without those of other processes in the way.
    async fn pay(&self, owed: &mut Owed) -> Result<(), StoreError> {
        // Of calls that are unheard the live counts are behind without having lost anything: these totals are raised by themselves.
        self.raise(&owed.unheard()).await?;
        let mut telling = owed.heard();
        let of_witness = |(api, caller): (&ApiName, &Caller)| {
            let is_other = !owed.has(api, caller.user);
            is_other.then(|| Tally { api: api.clone(), user: caller.user, calls: caller.calls })
        };
        telling.extend(lock(&self.witnesses).iter().filter_map(of_witness));
        // Other calls raise them before they come to the ledger: counts that were behind have lost something, and maybe not of these users alone.
        if self.raise(&telling).await? {
            // Unless another process has put calls of the same users into the ledger, which it could not tell the live tier.
            let found = if self.counts.are_behind() { &self.doubts } else { &self.suspects };
            found.store(true, Ordering::Relaxed);
        }
        self.witness(&owed.unheard());
        self.witness(&owed.heard());
        owed.clear();
        Ok(())
    }

    /// Whether the live counts were behind any of these totals.
    async fn raise(&self, totals: &[Tally]) -> Result<bool, StoreError> {
        let mut by_api: HashMap<&ApiName, Vec<Caller>> = HashMap::new();
        for Tally { api, user, calls } in totals {
            by_api.entry(api).or_default().push(Caller { user: *user, calls: *calls });
        }
        let mut was_behind = false;
        for (api, callers) in by_api {
            was_behind |= self.tracker.raise(api, &callers).await?;
        }
        Ok(was_behind)
    }

    /// Remembers one of these totals of each API.
    fn witness(&self, totals: &[Tally]) {
        let mut witnesses = lock(&self.witnesses);
        for Tally { api, user, calls } in totals {
            witnesses.insert(api.clone(), Caller { user: *user, calls: *calls });
        }
    }
}

mod whole;

#[cfg(test)]
mod tests;
