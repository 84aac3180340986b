//! Readings of the durable tier that are answered again for a moment: reading it is work.

use std::{hash::Hash, sync::Arc, time::Duration};

use quick_cache::sync::Cache;
use tokio::sync::Mutex;

use crate::{StoreError, domain::Timestamp, ports::Clock};

/// How long a reading is answered again, at least.
const KEPT: Duration = Duration::from_secs(1);
/// What took long to read is answered again for this many times as long, so that those who ask never load a store by more than a part.
const SHARE: u32 = 10;
/// How long a failure is answered again, at least: a store that has just refused one need not be asked by everyone. One that took longer is for
/// as long, and no more: a store that is back is to be noticed.
const FAILURE_KEPT: Duration = Duration::from_millis(100);
/// How many readings are remembered.
const MOST: usize = 256;

/// What was read of the counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading<T> {
    /// The counts.
    pub value: T,
    /// Whether they are older than they should be, because a tier is away.
    pub stale: bool,
}

/// The last reading of each question.
pub(super) struct Readings<Q, T> {
    clock: Arc<dyn Clock>,
    last: Cache<Q, Arc<Mutex<Option<Last<T>>>>>,
}

struct Last<T> {
    at: Timestamp,
    took: Duration,
    read: Result<T, StoreError>,
    /// What was read when it was read last.
    value: Option<T>,
}

impl<Q: Hash + Eq + Clone, T: Clone> Readings<Q, T> {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, last: Cache::new(MOST) }
    }

    /// What was read a moment ago, or is read now. One caller reads it, and the others wait for it: also for a failure, or the last of them
    /// would wait for as many deadlines as there are callers.
    pub(super) async fn read(
        &self,
        question: &Q,
        read: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.ask(question, read).await.0
    }

    /// The same; where it fails, what was read before, as stale.
    pub(super) async fn read_or_last(
        &self,
        question: &Q,
        read: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Reading<T>, StoreError> {
        match self.ask(question, read).await {
            (Ok(value), _) => Ok(Reading { value, stale: false }),
            (Err(_), Some(value)) => Ok(Reading { value, stale: true }),
            (Err(error), None) => Err(error),
        }
    }

    async fn ask(
        &self,
        question: &Q,
        read: impl Future<Output = Result<T, StoreError>>,
    ) -> (Result<T, StoreError>, Option<T>) {
        let asked = self.clock.steady();
        let last =
            self.last.get_or_insert_with(question, || Ok::<_, std::convert::Infallible>(Arc::default()));
        let last = last.unwrap_or_else(|never| match never {});
        let mut last = last.lock().await;
        let known = last.as_ref().filter(|last| match last.read {
            Ok(_) => self.clock.steady() < last.at + KEPT.max(last.took * SHARE),
            Err(_) => asked < last.at + FAILURE_KEPT.max(last.took),
        });
        if let Some(Last { read, value, .. }) = known {
            return (read.clone(), value.clone());
        }
        let begun = self.clock.steady();
        let read = read.await;
        let (at, former) = (self.clock.steady(), last.take().and_then(|last| last.value));
        let value = read.as_ref().ok().cloned().or(former);
        *last = Some(Last { at, took: at.since(begun), read: read.clone(), value: value.clone() });
        (read, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::ManualClock;

    fn down() -> Result<u8, StoreError> {
        Err(StoreError::transient("test", "down"))
    }

    #[tokio::test]
    async fn a_reading_is_answered_again_for_as_long_as_it_was_work() {
        let clock = Arc::new(ManualClock::new());
        let readings = Readings::new(clock.clone());
        let slow = async {
            clock.advance(Duration::from_secs(2));
            Ok(1)
        };
        assert_eq!(readings.read(&"a", slow).await.unwrap(), 1);
        clock.advance(Duration::from_millis(19_999));
        assert_eq!(readings.read(&"a", async { Ok(2) }).await.unwrap(), 1);
        assert_eq!(readings.read(&"b", async { Ok(3) }).await.unwrap(), 3, "another question");
        clock.advance(Duration::from_millis(1));
        assert_eq!(readings.read(&"a", async { Ok(2) }).await.unwrap(), 2);
        clock.advance(KEPT);
        assert_eq!(readings.read(&"a", async { Ok(4) }).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn where_it_fails_the_last_reading_is_stale_and_without_one_it_is_a_failure() {
        let clock = Arc::new(ManualClock::new());
        let readings = Readings::new(clock.clone());
        assert!(readings.read_or_last(&"a", async { down() }).await.is_err());
        clock.advance(FAILURE_KEPT);
        let fresh = Reading { value: 1, stale: false };
        assert_eq!(readings.read_or_last(&"a", async { Ok(1) }).await.unwrap(), fresh);
        for _ in 0..2 {
            clock.advance(KEPT);
            let stale = Reading { value: 1, stale: true };
            assert_eq!(readings.read_or_last(&"a", async { down() }).await.unwrap(), stale);
            assert!(readings.read(&"a", async { down() }).await.is_err());
        }
        clock.advance(FAILURE_KEPT);
        assert_eq!(readings.read_or_last(&"a", async { Ok(2) }).await.unwrap().value, 2);
    }

    #[tokio::test]
    async fn who_waits_while_a_reading_fails_does_not_wait_for_another() {
        let clock = Arc::new(ManualClock::new());
        let (readings, times) = (Readings::new(clock.clone()), std::cell::Cell::new(0));
        let ask = || async {
            let read = async {
                tokio::task::yield_now().await;
                clock.advance(KEPT);
                times.set(times.get() + 1);
                down()
            };
            readings.read(&"a", read).await
        };
        let (first, second, third) = tokio::join!(ask(), ask(), ask());
        assert!(first.is_err() && second.is_err() && third.is_err() && ask().await.is_err());
        assert_eq!(times.get(), 1);
        clock.advance(KEPT);
        assert!(ask().await.is_err(), "it took so long to fail");
        assert_eq!(times.get(), 2, "who asks later has it tried again");
    }
}
