//! A circuit breaker (M. Nygard, "Release It!"): an engine that does not answer fails its callers at once, and not each after a deadline.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use crate::{StoreError, domain::Timestamp, ports::Clock};

/// So many failures in a row, without an answer between them, open it.
const FAILURES: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// Stands in front of one engine. While it is open, one call at a time [probes](Self::enter) whether the engine is back, or a task
/// [does](Self::probe_by), so that no caller has to wait for it.
pub struct Breaker {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    opened: Notify,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed {
        failures: u32,
    },
    /// The next call may probe from this time on.
    Open {
        until: Timestamp,
        wait: Duration,
    },
    Probing {
        wait: Duration,
    },
}

/// The engine was away a moment ago; nothing was sent.
#[derive(Debug, thiserror::Error)]
#[error("it has not answered for a while")]
struct Open;

impl Breaker {
    /// A closed one, whose waits are counted by the steady time of this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::new(State::Closed { failures: 0 }), opened: Notify::new() }
    }

    /// Lets a call begin, unless the breaker is open; then it may be one that probes.
    ///
    /// # Errors
    /// Transient: it is open.
    pub fn enter(&self, operation: &'static str) -> Result<Turn<'_>, StoreError> {
        let mut state = self.state();
        let probes = match *state {
            State::Closed { .. } => false,
            State::Open { until, wait } if self.clock.steady() >= until => {
                *state = State::Probing { wait };
                true
            }
            State::Open { .. } | State::Probing { .. } => return Err(StoreError::transient(operation, Open)),
        };
        Ok(Turn { breaker: self, probes, answered: None })
    }

    /// Lets a call begin that never probes, unless the breaker is open.
    ///
    /// # Errors
    /// Transient: it is open.
    pub fn pass(&self, operation: &'static str) -> Result<Turn<'_>, StoreError> {
        if self.is_open() {
            return Err(StoreError::transient(operation, Open));
        }
        Ok(Turn { breaker: self, probes: false, answered: None })
    }

    /// Probes whenever it has opened, until an answer closes it; for ever.
    ///
    /// # Parameters
    /// - `probe`: asks the engine for a sign of life, within a deadline of its own.
    pub async fn probe_by<F>(&self, probe: impl Fn() -> F)
    where
        F: Future<Output = Result<(), StoreError>>,
    {
        loop {
            self.opened.notified().await;
            while let Some(wait) = self.until_probe() {
                tokio::time::sleep(wait).await;
                // Another call's late answer may have closed it.
                if self.is_open()
                    && let Ok(turn) = self.enter("look whether it is back")
                {
                    // What it says is in the breaker.
                    let _ = turn.heed(probe().await);
                }
            }
        }
    }

    /// How long until a call may probe; `None`: it is closed.
    fn until_probe(&self) -> Option<Duration> {
        match *self.state() {
            State::Closed { .. } => None,
            State::Open { until, .. } => Some(until.since(self.clock.steady())),
            State::Probing { wait } => Some(wait),
        }
    }

    /// Whether calls are refused.
    pub fn is_open(&self) -> bool {
        !matches!(*self.state(), State::Closed { .. })
    }

    fn settle(&self, probes: bool, answered: Option<bool>) {
        let mut state = self.state();
        *state = match (*state, answered) {
            // An answer shows that it is back, whoever got it.
            (_, Some(true)) => State::Closed { failures: 0 },
            (State::Probing { wait }, _) if probes => {
                let wait = (wait * 2).min(LONGEST_WAIT);
                State::Open { until: self.clock.steady() + wait, wait }
            }
            (State::Closed { failures }, Some(false)) if failures + 1 < FAILURES => {
                State::Closed { failures: failures + 1 }
            }
            (State::Closed { .. }, Some(false)) => {
                self.opened.notify_one();
                State::Open { until: self.clock.steady() + FIRST_WAIT, wait: FIRST_WAIT }
            }
            (unchanged, _) => unchanged,
        };
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call on its way. Dropped by a caller that left, it says nothing, but a probe makes room for the next.
#[derive(Debug)]
#[must_use = "the breaker hears of the call by it"]
pub struct Turn<'a> {
    breaker: &'a Breaker,
    probes: bool,
    /// Whether the engine answered; `None` where that is not known.
    answered: Option<bool>,
}

impl Turn<'_> {
    /// Says how the call ended. Only silence is a failure: an engine that refuses a call has answered it.
    ///
    /// # Errors
    /// The call's own.
    pub fn heed<T>(mut self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        self.answered = match &done {
            Err(failure) if failure.is_overloaded() => None,
            Err(failure) => Some(!failure.is_silence()),
            Ok(_) => Some(true),
        };
        done
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.breaker.settle(self.probes, self.answered);
    }
}

impl std::fmt::Debug for Breaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Breaker").field("state", &*self.state()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::ManualClock;

    fn breaker() -> (Breaker, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new());
        (Breaker::new(clock.clone()), clock)
    }

    /// Whether a call that ends so is let through.
    fn sent(breaker: &Breaker, answer: Result<(), StoreError>) -> bool {
        breaker.enter("test").is_ok_and(|turn| {
            let _ = turn.heed(answer);
            true
        })
    }

    fn down() -> Result<(), StoreError> {
        Err(StoreError::deadline("test", Duration::from_secs(1)))
    }

    #[test]
    fn only_failures_in_a_row_open_it() {
        let (breaker, _) = breaker();
        let permanent = || Err(StoreError::permanent("test", "damaged"));
        for answer in [
            down(),
            down(),
            Ok(()),
            down(),
            down(),
            permanent(),
            down(),
            Err(StoreError::overloaded("test")),
            down(),
        ] {
            assert!(sent(&breaker, answer) && !breaker.is_open());
        }
        assert!(sent(&breaker, down()) && breaker.is_open());
        assert!(!sent(&breaker, Ok(())));
    }

    #[test]
    fn one_call_at_a_time_probes_less_and_less_often_and_an_answer_closes_it() {
        let (breaker, clock) = breaker();
        for _ in 0..3 {
            sent(&breaker, down());
        }
        for wait in [50, 100, 200, 400, 500, 500] {
            clock.advance(Duration::from_millis(wait - 1));
            assert!(!sent(&breaker, Ok(())), "{wait}");
            clock.advance(Duration::from_millis(1));
            let probe = breaker.enter("test").unwrap();
            assert!(!sent(&breaker, Ok(())), "another call beside the probe");
            assert!(probe.heed(down()).is_err() && breaker.is_open());
        }
        clock.advance(Duration::from_millis(500));
        assert!(sent(&breaker, Ok(())) && !breaker.is_open());
        assert!(sent(&breaker, Ok(())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_probes_until_an_answer_and_no_caller_does() {
        let (breaker, clock) = breaker();
        let probes = std::cell::Cell::new(0);
        let probing = breaker.probe_by(|| {
            probes.set(probes.get() + 1);
            std::future::ready(if probes.get() % 3 == 0 { Ok(()) } else { down() })
        });
        let callers = async {
            for round in 1..=2 {
                for _ in 0..3 {
                    assert!(breaker.pass("test").unwrap().heed(down()).is_err());
                }
                for wait in [50, 100, 200] {
                    assert!(breaker.pass("test").is_err());
                    clock.advance(Duration::from_millis(wait));
                    tokio::time::sleep(Duration::from_millis(wait + 1)).await;
                }
                assert!(breaker.pass("test").is_ok());
                assert_eq!(probes.get(), 3 * round);
            }
        };
        tokio::select! {
            () = probing => unreachable!("it goes on for ever"),
            () = callers => {}
        }
    }

    #[test]
    fn a_probe_that_is_given_up_makes_room_for_the_next() {
        let (breaker, clock) = breaker();
        for _ in 0..3 {
            sent(&breaker, down());
        }
        clock.advance(Duration::from_millis(50));
        drop(breaker.enter("test").unwrap());
        clock.advance(Duration::from_millis(500));
        assert!(sent(&breaker, Ok(())));
    }
}
