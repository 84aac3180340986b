//! The open epoch: what this process has admitted since its last flush.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use foldhash::fast::RandomState;
use tokio::sync::Notify;

use crate::{
    StoreError,
    domain::{ApiName, Epoch, Tally, UserId},
};

/// The counts that are not in the ledger yet.
///
/// A call enters the open epoch before it is decided and stays in flight there until it is counted or dropped, so an epoch
/// that is closed and has nothing in flight is complete.
#[derive(Debug)]
pub struct CallBook {
    open: Mutex<Arc<EpochBook>>,
    limit: usize,
}

#[derive(Debug)]
struct EpochBook {
    epoch: Epoch,
    sums: Mutex<Sums>,
    in_flight: AtomicUsize,
    settled: Notify,
}

/// Calls by API and user. APIs come from the policies, so they are few.
#[derive(Debug, Default)]
struct Sums {
    by_api: Vec<(ApiName, HashMap<UserId, u64, RandomState>)>,
    /// How many pairs of API and user there are.
    pairs: usize,
}

/// One call's way through an epoch. Dropped without [`count`](Self::count), it leaves no trace.
#[derive(Debug)]
pub struct Passage(Arc<EpochBook>);

/// An epoch that no further call can enter.
#[derive(Debug)]
pub struct ClosedEpoch(Arc<EpochBook>);

impl CallBook {
    /// An empty book; it refuses calls while its open epoch holds `limit` different pairs of API and user.
    pub fn new(limit: usize) -> Self {
        Self { open: Mutex::new(Arc::new(EpochBook::new(Epoch::FIRST))), limit }
    }

    /// Lets a call enter the open epoch.
    ///
    /// # Errors
    /// Transient: the ledger has been away for so long that the book is full.
    pub fn enter(&self) -> Result<Passage, StoreError> {
        let open = lock(&self.open);
        if lock(&open.sums).pairs >= self.limit {
            return Err(StoreError::overloaded("count a call"));
        }
        open.in_flight.fetch_add(1, Ordering::Relaxed);
        Ok(Passage(Arc::clone(&open)))
    }

    /// Closes the open epoch and opens the next. `None`: nothing has entered it, so it stays open.
    pub fn close(&self) -> Option<ClosedEpoch> {
        let mut open = lock(&self.open);
        // Passages are made under this lock, so none can appear while it is looked at.
        if open.in_flight.load(Ordering::Acquire) == 0 && lock(&open.sums).pairs == 0 {
            return None;
        }
        let next = Arc::new(EpochBook::new(open.epoch.next()));
        Some(ClosedEpoch(std::mem::replace(&mut open, next)))
    }
}

impl Sums {
    fn count(&mut self, api: &ApiName, user: UserId) {
        let at = self.by_api.iter().position(|(known, _)| known == api).unwrap_or_else(|| {
            self.by_api.push((api.clone(), HashMap::default()));
            self.by_api.len() - 1
        });
        let calls = self.by_api[at].1.entry(user).or_insert(0);
        self.pairs += usize::from(*calls == 0);
        *calls += 1;
    }
}

impl EpochBook {
    fn new(epoch: Epoch) -> Self {
        Self { epoch, sums: Mutex::default(), in_flight: AtomicUsize::new(0), settled: Notify::new() }
    }
}

impl Passage {
    /// Counts the call; it may be acknowledged from here on.
    pub fn count(self, api: &ApiName, user: UserId) {
        lock(&self.0.sums).count(api, user);
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        if self.0.in_flight.fetch_sub(1, Ordering::Release) == 1 {
            self.0.settled.notify_waiters();
        }
    }
}

impl ClosedEpoch {
    /// Its number.
    pub fn epoch(&self) -> Epoch {
        self.0.epoch
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
        let sums = lock(&self.0.sums);
        let of_api = |(api, users): &(ApiName, HashMap<_, _, _>)| {
            let tally = |(&user, &calls)| Tally { api: api.clone(), user, calls };
            users.iter().map(tally).collect::<Vec<_>>()
        };
        sums.by_api.iter().flat_map(of_api).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn user(id: u64) -> UserId {
        UserId::new(id).unwrap()
    }

    #[tokio::test]
    async fn an_epoch_waits_for_what_is_in_flight_and_for_nothing_later() {
        let (book, ping) = (CallBook::new(10), ApiName::new("ping").unwrap());
        book.enter().unwrap().count(&ping, user(1));
        let (counted, dropped) = (book.enter().unwrap(), book.enter().unwrap());
        let first = book.close().unwrap();
        book.enter().unwrap().count(&ping, user(1));
        assert!(tokio::time::timeout(Duration::from_millis(20), first.settled()).await.is_err());
        counted.count(&ping, user(1));
        drop(dropped);
        assert_eq!(first.settled().await, [Tally { api: ping.clone(), user: user(1), calls: 2 }]);
        let second = book.close().unwrap();
        assert_eq!((first.epoch(), second.epoch()), (Epoch::FIRST, Epoch::FIRST.next()));
        assert_eq!(second.settled().await[0].calls, 1);
        assert!(book.close().is_none());
    }

    #[tokio::test]
    async fn an_epoch_that_has_counted_nothing_yet_waits_for_what_is_in_flight_all_the_same() {
        let (book, ping) = (CallBook::new(10), ApiName::new("ping").unwrap());
        let passage = book.enter().unwrap();
        let closed = book.close().expect("a call is on its way through it");
        passage.count(&ping, user(1));
        assert_eq!(closed.settled().await, [Tally { api: ping, user: user(1), calls: 1 }]);
    }

    #[test]
    fn a_full_book_refuses() {
        let (book, ping) = (CallBook::new(2), ApiName::new("ping").unwrap());
        for id in [1, 2] {
            book.enter().unwrap().count(&ping, user(id));
        }
        assert!(book.enter().unwrap_err().is_transient());
        book.close().unwrap();
        assert!(book.enter().is_ok());
    }
}
