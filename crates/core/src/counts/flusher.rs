//! The task that moves closed epochs into the ledger and keeps the live board at least as high.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{CallBook, ClosedEpoch};
use crate::{
    StoreError,
    domain::{ApiName, Caller, Incarnation, Tally},
    ports::{CallLedger, CallTracker},
};

/// How counts are flushed.
#[derive(Debug, Clone, Copy)]
pub struct FlusherOptions {
    /// How often the open epoch is closed; what a killed process loses at most.
    pub every: Duration,
    /// How long the last flush, at shutdown, may keep trying.
    pub last: Duration,
}

impl Default for FlusherOptions {
    fn default() -> Self {
        Self { every: Duration::from_secs(1), last: Duration::from_secs(10) }
    }
}

const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_millis(500);
const PAGE: usize = 10_000;

/// Flushes the book of one process. Epochs go one after the other and are never merged: while the ledger is away, one closed
/// epoch waits and the open one grows.
pub struct CountFlusher {
    book: Arc<CallBook>,
    ledger: Arc<dyn CallLedger>,
    tracker: Arc<dyn CallTracker>,
    incarnation: Incarnation,
    options: FlusherOptions,
    /// Whether the board is known to hold all that the ledger holds.
    board_is_raised: bool,
    /// Of each API, a total that the board has had: where it has it no more, it has lost something. New callers alone could not
    /// tell, for what they have called since then is all that they ever called.
    witnesses: HashMap<ApiName, Caller>,
}

impl CountFlusher {
    /// A flusher that will first raise the live board to the ledger.
    pub fn new(
        book: Arc<CallBook>,
        ledger: Arc<dyn CallLedger>,
        tracker: Arc<dyn CallTracker>,
        incarnation: Incarnation,
        options: FlusherOptions,
    ) -> Self {
        Self {
            book,
            ledger,
            tracker,
            incarnation,
            options,
            board_is_raised: false,
            witnesses: HashMap::new(),
        }
    }

    /// Raises the live board to the ledger's totals, page by page.
    ///
    /// # Errors
    /// Either tier failed; [`run`](Self::run) tries again.
    pub async fn raise_board(&mut self) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = self.ledger.totals(after.take(), PAGE).await?;
            after = page.last().map(|tally| (tally.api.clone(), tally.user));
            let is_last = page.len() < PAGE;
            self.raise(&page).await?;
            self.witness(&page);
            if is_last {
                self.board_is_raised = true;
                return Ok(());
            }
        }
    }

    /// Flushes until `stop`, then once more.
    pub async fn run(mut self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(self.options.every)).await.is_some() {
            if let Some(closed) = self.book.close()
                && stop.run_until_cancelled(self.flush(&closed)).await.is_none()
            {
                self.flush_last(&closed).await;
                break;
            }
            if !self.board_is_raised
                && let Some(Err(error)) = stop.run_until_cancelled(self.raise_board()).await
            {
                warn!(?error, "the live board is behind the ledger");
            }
        }
        if let Some(closed) = self.book.close() {
            self.flush_last(&closed).await;
        }
    }

    async fn flush_last(&mut self, closed: &ClosedEpoch) {
        if tokio::time::timeout(self.options.last, self.flush(closed)).await.is_err() {
            warn!(epoch = closed.epoch().get(), "shut down without this epoch of counts in the ledger");
        }
    }

    /// Adds one epoch, as often as it takes: adding it twice counts once.
    async fn flush(&mut self, closed: &ClosedEpoch) {
        let sums = closed.settled().await;
        let mut wait = FIRST_WAIT;
        let totals = loop {
            match self.ledger.add(self.incarnation, closed.epoch(), &sums).await {
                Ok(totals) => break totals,
                Err(error) => warn!(?error, epoch = closed.epoch().get(), "counts wait for the ledger"),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        };
        debug!(epoch = closed.epoch().get(), tallies = sums.len(), "counts are in the ledger");
        let is_among =
            |api: &ApiName, user| totals.iter().any(|tally| tally.api == *api && tally.user == user);
        let witnesses = self.witnesses.iter().filter(|(api, caller)| !is_among(api, caller.user));
        let tally = |(api, caller): (&ApiName, &Caller)| Tally {
            api: api.clone(),
            user: caller.user,
            calls: caller.calls,
        };
        let asked: Vec<_> = totals.iter().cloned().chain(witnesses.map(tally)).collect();
        let raised = self.raise(&asked).await;
        self.witness(&totals);
        match raised {
            Ok(false) => {}
            Ok(true) => {
                // Calls raise it before they come here: it has lost something, and maybe not of these users alone.
                debug!("the live board was behind the ledger");
                self.board_is_raised = false;
            }
            Err(error) => {
                warn!(?error, "the live board is behind the ledger");
                self.board_is_raised = false;
            }
        }
    }

    /// Whether the board was behind any of these totals.
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
    fn witness(&mut self, totals: &[Tally]) {
        for Tally { api, user, calls } in totals {
            self.witnesses.insert(api.clone(), Caller { user: *user, calls: *calls });
        }
    }
}

#[cfg(test)]
mod tests {
    use mockall::Sequence;

    use super::*;
    use crate::{
        domain::{Epoch, UserId},
        ports::{MockCallLedger, MockCallTracker},
    };

    fn tally(user: u64, calls: u64) -> Tally {
        Tally { api: ApiName::new("ping").unwrap(), user: UserId::new(user).unwrap(), calls }
    }

    fn flusher(ledger: MockCallLedger, tracker: MockCallTracker) -> (Arc<CallBook>, CountFlusher) {
        let book = Arc::new(CallBook::new(100));
        let (incarnation, options) = (Incarnation::from_bytes([1; 16]), FlusherOptions::default());
        let flusher =
            CountFlusher::new(Arc::clone(&book), Arc::new(ledger), Arc::new(tracker), incarnation, options);
        (book, flusher)
    }

    #[tokio::test(start_paused = true)]
    async fn an_epoch_is_repeated_until_the_ledger_has_it_and_the_last_one_is_flushed_at_the_end() {
        let (mut ledger, mut tracker, mut order) =
            (MockCallLedger::new(), MockCallTracker::new(), Sequence::new());
        ledger.expect_totals().returning(|_, _| Ok(vec![]));
        for (epoch, fails) in [(1, true), (1, true), (1, false), (2, false)] {
            ledger
                .expect_add()
                .once()
                .in_sequence(&mut order)
                .withf(move |_, given, sums| *given == Epoch::new(epoch) && sums == [tally(1, epoch)])
                .returning(move |_, _, _| {
                    if fails { Err(StoreError::transient("test", "down")) } else { Ok(vec![tally(1, 9)]) }
                });
        }
        tracker.expect_raise().times(2).returning(|_, callers| {
            assert_eq!(callers, [Caller { user: UserId::new(1).unwrap(), calls: 9 }]);
            Ok(false)
        });
        let (book, flusher) = flusher(ledger, tracker);
        let count = || book.enter().unwrap().count(&tally(1, 0).api, tally(1, 0).user);
        count();
        let stop = CancellationToken::new();
        let task = tokio::spawn(flusher.run(stop.clone()));
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        count();
        count();
        stop.cancel();
        task.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_ledger_that_stays_away_does_not_keep_a_process_from_ending() {
        let (mut ledger, mut tracker) = (MockCallLedger::new(), MockCallTracker::new());
        ledger.expect_totals().returning(|_, _| Ok(vec![]));
        ledger.expect_add().returning(|_, _, _| Err(StoreError::transient("test", "down")));
        tracker.expect_raise().returning(|_, _| Ok(false));
        let (book, flusher) = flusher(ledger, tracker);
        book.enter().unwrap().count(&tally(1, 0).api, tally(1, 0).user);
        let stop = CancellationToken::new();
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(11), flusher.run(stop)).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_board_is_raised_page_by_page_and_again_after_a_failure() {
        let (mut ledger, mut tracker, mut order) =
            (MockCallLedger::new(), MockCallTracker::new(), Sequence::new());
        ledger
            .expect_totals()
            .withf(|after, _| after.is_none())
            .returning(|_, limit| Ok((1..=limit as u64).map(|id| tally(id, 1)).collect()));
        ledger
            .expect_totals()
            .withf(|after, _| *after == Some((tally(1, 1).api, UserId::new(PAGE as u64).unwrap())))
            .returning(|_, _| Ok(vec![tally(PAGE as u64 + 1, 1)]));
        for (size, fails) in [(PAGE, false), (1, true), (PAGE, false), (1, false)] {
            tracker
                .expect_raise()
                .once()
                .in_sequence(&mut order)
                .withf(move |_, callers| callers.len() == size)
                .returning(
                    move |_, _| {
                        if fails { Err(StoreError::transient("test", "down")) } else { Ok(true) }
                    },
                );
        }
        let (_book, mut flusher) = flusher(ledger, tracker);
        assert!(flusher.raise_board().await.is_err());
        assert!(!flusher.board_is_raised);
        flusher.raise_board().await.unwrap();
        assert!(flusher.board_is_raised);
    }

    #[tokio::test(start_paused = true)]
    async fn a_board_that_has_lost_something_is_raised_whole() {
        let (mut ledger, mut tracker) = (MockCallLedger::new(), MockCallTracker::new());
        // At the start, and once more after the flush that finds it behind.
        ledger.expect_totals().times(2).returning(|_, _| Ok(vec![tally(1, 3), tally(2, 5)]));
        // Of a new caller, whose own total tells of no loss; that of a former one, which is asked for with it, does.
        ledger.expect_add().returning(|_, _, _| Ok(vec![tally(3, 1)]));
        let is = |id, calls| Caller { user: UserId::new(id).unwrap(), calls };
        tracker.expect_raise().times(3).returning(move |_, callers| Ok(callers == [is(3, 1), is(2, 5)]));
        let (book, flusher) = flusher(ledger, tracker);
        let stop = CancellationToken::new();
        let task = tokio::spawn(flusher.run(stop.clone()));
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        book.enter().unwrap().count(&tally(1, 0).api, tally(1, 0).user);
        tokio::time::sleep(Duration::from_secs(5)).await;
        stop.cancel();
        task.await.unwrap();
    }
}
