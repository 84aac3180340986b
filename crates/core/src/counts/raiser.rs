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
use tracing::{info, warn};

use super::{CallBook, LiveCounts, sums::lock};
use crate::{
    StoreError,
    domain::{ApiName, Caller, Incarnation, Tally},
    ports::{CallLedger, CallTracker, RaiseId},
    random_u64,
};

/// How often the live tier is asked whether it has lost anything.
const LOOK: Duration = Duration::from_millis(500);
/// The same while it is known to have lost something: whoever asks is told of the ledger meanwhile.
const LOOK_BEHIND: Duration = Duration::from_millis(100);
const PAGE: usize = 10_000;

/// Raises live counts: those of an epoch after its flush, and all of them where something was lost.
pub(super) struct Raiser {
    ledger: Arc<dyn CallLedger>,
    tracker: Arc<dyn CallTracker>,
    /// Something may be missing, though the live tier may take itself for whole.
    suspects: AtomicBool,
    /// Whether something is.
    counts: LiveCounts,
    /// Somebody has found out that it is.
    missed: Notify,
    /// Whose name says so in the ledger.
    told: Mutex<Option<Incarnation>>,
    /// Of each API, a total that the board has had: where it has it no more, it has lost something. New callers alone could not
    /// tell, for what they have called since then is all that they ever called.
    witnesses: Mutex<HashMap<ApiName, Caller>>,
    /// A raise that was begun, or may have been, and did not get to its end. The live tier lets nobody begin another for a while, but
    /// this one again.
    unfinished: Mutex<Option<RaiseId>>,
}

impl Raiser {
    pub(super) fn new(ledger: Arc<dyn CallLedger>, tracker: Arc<dyn CallTracker>) -> Self {
        Self {
            ledger,
            tracker,
            suspects: AtomicBool::new(false),
            counts: LiveCounts::default(),
            missed: Notify::new(),
            told: Mutex::default(),
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
                // Each for itself: either tier may be away.
                told.and(looked).and(told_again).and(self.hear(book).await)
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

    /// Tells other processes, through the ledger, whether the live counts lack what this one has added: they may see a live tier that takes
    /// itself for whole.
    pub(super) async fn tell(&self, book: Option<&CallBook>) -> Result<(), StoreError> {
        let Some(book) = book else { return Ok(()) };
        let behind = self.counts.are_behind_here().then(|| book.incarnation());
        let told = *lock(&self.told);
        if behind != told
            && let Some(name) = behind.or(told)
        {
            self.ledger.say_behind(name, behind.is_some()).await?;
            *lock(&self.told) = behind;
        }
        Ok(())
    }

    /// Hears it of them.
    async fn hear(&self, book: Option<&CallBook>) -> Result<(), StoreError> {
        if book.is_some() {
            self.counts.set_any(self.ledger.is_any_behind().await?);
        }
        Ok(())
    }

    async fn look(&self) -> Result<(), StoreError> {
        let is_doubted = self.suspects.load(Ordering::Relaxed) || self.counts.are_behind_here();
        if !is_doubted && self.tracker.is_whole().await? {
            return Ok(());
        }
        self.raise_all().await
    }

    /// Raises the live counts to the ledger's totals, page by page, unless another process is at it.
    pub(super) async fn raise_all(&self) -> Result<(), StoreError> {
        match self.begin().await? {
            Some(raise) => self.finish(raise).await,
            None => Ok(()),
        }
    }

    async fn begin(&self) -> Result<Option<RaiseId>, StoreError> {
        let unfinished = lock(&self.unfinished).take();
        let raise = unfinished.map_or_else(|| random_u64().map(RaiseId), Ok)?;
        match self.tracker.begin_raise(raise).await {
            Ok(begun) => Ok(begun.then_some(raise)),
            Err(error) => {
                // What is known to be missing is known already.
                self.suspect();
                self.leave(Some(raise));
                Err(error)
            }
        }
    }

    fn leave(&self, raise: Option<RaiseId>) {
        if raise.is_some() {
            *lock(&self.unfinished) = raise;
        }
    }

    /// Makes a change of the ledger of which the live counts need not know, then raises all of them. They are not whole from before
    /// it on, so that another process raises them where this one ends in between.
    pub(super) async fn raise_all_after(
        &self,
        change: impl Future<Output = Result<(), StoreError>>,
    ) -> Result<(), StoreError> {
        let raise = self.begin().await?;
        self.suspect();
        if let Err(error) = change.await {
            self.leave(raise);
            return Err(error);
        }
        if let Some(raise) = raise {
            return self.finish(raise).await;
        }
        // Another raise that ended meanwhile need not have seen the change.
        self.suspect();
        Ok(())
    }

    async fn finish(&self, raise: RaiseId) -> Result<(), StoreError> {
        self.suspects.store(false, Ordering::Relaxed);
        let ended = async {
            let totals = self.raise_pages().await?;
            Ok((totals, self.tracker.end_raise(raise).await?))
        };
        match ended.await {
            Ok((totals, true)) => {
                // What came to be missing meanwhile is missing still.
                self.counts.set_here(self.suspects.load(Ordering::Relaxed) && self.counts.are_behind_here());
                info!(totals, "the live counts have been raised to the ledger");
            }
            // Something was lost meanwhile, or another process has begun another.
            Ok((_, false)) => self.suspect(),
            Err(error) => {
                self.suspect();
                self.leave(Some(raise));
                return Err(error);
            }
        }
        Ok(())
    }

    async fn raise_pages(&self) -> Result<usize, StoreError> {
        let (mut after, mut totals) = (None, 0);
        loop {
            let page = self.ledger.totals(after.take(), PAGE).await?;
            after = page.last().map(|tally| (tally.api.clone(), tally.user));
            totals += page.len();
            self.raise(&page).await?;
            self.witness(&page);
            if page.len() < PAGE {
                return Ok(totals);
            }
        }
    }

    /// Says that the live counts may lack something.
    fn suspect(&self) {
        self.suspects.store(true, Ordering::Relaxed);
    }

    /// Says that they do.
    pub(super) fn miss(&self) {
        if !self.counts.are_behind_here() {
            self.counts.set_here(true);
            self.missed.notify_one();
        }
        self.suspect();
    }

    /// Says that the live counts could not be raised to the totals of an epoch. `has_unheard`: where not all of it was counted live.
    pub(super) fn could_not_raise(&self, has_unheard: bool) {
        if has_unheard {
            self.miss();
        } else {
            self.suspect();
        }
    }

    /// Raises the live counts to these totals, as an epoch left them. `has_unheard`: where not all of it was counted live.
    pub(super) async fn follow(&self, totals: &[Tally], has_unheard: bool) {
        let is_among =
            |api: &ApiName, user| totals.iter().any(|tally| tally.api == *api && tally.user == user);
        let of_witness = |(api, caller): (&ApiName, &Caller)| Tally {
            api: api.clone(),
            user: caller.user,
            calls: caller.calls,
        };
        // Of calls that are unheard the live counts are behind without having lost anything: these totals are raised by themselves.
        let (by_itself, telling) = if has_unheard { (totals, &[][..]) } else { (&[][..], totals) };
        let asked: Vec<_> = {
            let witnesses = lock(&self.witnesses);
            let others = witnesses.iter().filter(|(api, caller)| !is_among(api, caller.user)).map(of_witness);
            telling.iter().cloned().chain(others).collect()
        };
        let unheard = self.raise(by_itself).await;
        let raised = match unheard {
            Ok(_) => self.raise(&asked).await,
            Err(failure) => Err(failure),
        };
        self.witness(totals);
        match raised {
            Ok(false) => {}
            // Other calls raise them before they come to the ledger: counts that were behind have lost something, and maybe not of these users alone.
            Ok(true) => self.suspect(),
            Err(_) => self.could_not_raise(has_unheard),
        }
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

#[cfg(test)]
mod tests;
