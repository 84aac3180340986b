//! A raise of all the ledger's totals, which one process does at a time.

use std::sync::atomic::Ordering;

use tracing::info;

use super::Raiser;
use crate::{StoreError, counts::sums::lock, ports::RaiseId, random_u64};

pub(super) const PAGE: usize = 10_000;

impl Raiser {
    /// Raises the live counts to the ledger's totals, page by page, unless another process is at it.
    pub(in crate::counts) async fn raise_all(&self) -> Result<(), StoreError> {
        self.raise_all_telling(&|_| {}).await
    }

    /// The same; `told` hears of each page how many totals there were so far.
    pub(in crate::counts) async fn raise_all_telling(
        &self,
        told: &(dyn Fn(usize) + Sync),
    ) -> Result<(), StoreError> {
        match self.begin().await? {
            Some(raise) => self.finish(raise, told).await,
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
    pub(in crate::counts) async fn raise_all_after(
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
            return self.finish(raise, &|_| {}).await;
        }
        // Another raise that ended meanwhile need not have seen the change.
        self.suspect();
        Ok(())
    }

    async fn finish(&self, raise: RaiseId, told: &(dyn Fn(usize) + Sync)) -> Result<(), StoreError> {
        self.suspects.store(false, Ordering::Relaxed);
        let missed = self.misses.swap(false, Ordering::Relaxed);
        let ended = async {
            let totals = self.raise_pages(told).await?;
            Ok((totals, self.tracker.end_raise(raise).await?))
        };
        match ended.await {
            Ok((totals, true)) => {
                self.still_lacks().await;
                info!(totals, "the live counts have been raised to the ledger");
            }
            // Something was lost meanwhile, or another process has begun another.
            Ok((_, false)) => self.failed(missed),
            Err(error) => {
                self.failed(missed);
                self.leave(Some(raise));
                return Err(error);
            }
        }
        Ok(())
    }

    fn failed(&self, missed: bool) {
        self.suspect();
        self.misses.fetch_or(missed, Ordering::Relaxed);
    }

    async fn raise_pages(&self, told: &(dyn Fn(usize) + Sync)) -> Result<usize, StoreError> {
        let (mut after, mut totals) = (None, 0);
        loop {
            let page = self.ledger.totals(after.take(), PAGE).await?;
            after = page.last().map(|tally| (tally.api.clone(), tally.user));
            totals += page.len();
            self.raise(&page).await?;
            self.witness(&page);
            told(totals);
            if page.len() < PAGE {
                return Ok(totals);
            }
        }
    }
}

#[cfg(test)]
mod tests;
