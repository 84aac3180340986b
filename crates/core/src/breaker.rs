//! A circuit breaker (M. Nygard, "Release It!"): an engine that does not answer fails its callers at once, and not each after a deadline.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use metrics::{Gauge, counter, gauge, histogram};
use tokio::sync::Notify;

use crate::{
    StoreError,
    domain::Timestamp,
    ports::Clock,
    spans::{Place, Trip},
};

/// So many failures in a row, without an answer between them, open it.
const FAILURES: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// Stands in front of one engine. While it is open, one call at a time [probes](Self::enter) whether the engine is back, or a task
/// [does](Self::probe_by), so that no caller has to wait for it.
///
/// Every call to an engine passes through one, so this is also where calls are measured: `tollbar_engine_call_duration_seconds`,
/// `tollbar_engine_calls_in_flight`, `tollbar_engine_failures_total` and `tollbar_breaker_open`; and each is a [`Trip`].
pub struct Breaker {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    opened: Notify,
    engine: &'static str,
    place: Place,
    is_open: Gauge,
    in_flight: Gauge,
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
    /// A closed one.
    ///
    /// # Parameters
    /// - `clock`: waits are counted by its steady time.
    /// - `engine`, `server`: in front of what it stands, and in front of which, as metrics name them.
    pub fn new(clock: Arc<dyn Clock>, engine: &'static str, server: impl Into<String>) -> Self {
        let server = server.into();
        let place = Place::of(engine, &server);
        let is_open = gauge!("tollbar_breaker_open", "engine" => engine, "server" => server.clone());
        is_open.set(0.0);
        let in_flight = gauge!("tollbar_engine_calls_in_flight", "engine" => engine, "server" => server);
        let state = Mutex::new(State::Closed { failures: 0 });
        Self { clock, state, opened: Notify::new(), engine, place, is_open, in_flight }
    }

    /// Lets a call begin, unless the breaker is open; then it may be one that probes.
    ///
    /// # Errors
    /// Transient: it is open.
    pub fn enter(&self, operation: &'static str) -> Result<Turn<'_>, StoreError> {
        let probes = self.admit(operation)?;
        Ok(self.turn(operation, probes, Trip::to(&self.place, operation)))
    }

    /// The same for several callers at once, each of whom has a [`Trip`] of its own for it.
    ///
    /// # Errors
    /// Transient: it is open.
    pub fn enter_together(&self, operation: &'static str) -> Result<Turn<'_>, StoreError> {
        let probes = self.admit(operation)?;
        Ok(self.turn(operation, probes, Trip::untold()))
    }

    /// Whether a call that may begin is one that probes.
    fn admit(&self, operation: &'static str) -> Result<bool, StoreError> {
        let mut state = self.state();
        match *state {
            State::Closed { .. } => Ok(false),
            State::Open { until, wait } if self.clock.steady() >= until => {
                *state = State::Probing { wait };
                Ok(true)
            }
            State::Open { .. } | State::Probing { .. } => Err(self.refusal(operation)),
        }
    }

    /// Lets a call begin that never probes, unless the breaker is open.
    ///
    /// # Errors
    /// Transient: it is open.
    pub fn pass(&self, operation: &'static str) -> Result<Turn<'_>, StoreError> {
        if self.is_open() {
            return Err(self.refusal(operation));
        }
        Ok(self.turn(operation, false, Trip::to(&self.place, operation)))
    }

    fn turn(&self, operation: &'static str, probes: bool, trip: Trip) -> Turn<'_> {
        self.in_flight.increment(1.0);
        Turn { breaker: self, operation, trip, began: self.clock.steady(), probes, answered: None }
    }

    fn refusal(&self, operation: &'static str) -> StoreError {
        self.count_failure(operation, "refused by the breaker");
        StoreError::transient(operation, Open)
    }

    fn count_failure(&self, operation: &'static str, kind: &'static str) {
        counter!("tollbar_engine_failures_total", "engine" => self.engine, "operation" => operation, "kind" => kind)
            .increment(1);
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
        self.is_open.set(if matches!(*state, State::Closed { .. }) { 0.0 } else { 1.0 });
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
    operation: &'static str,
    trip: Trip,
    began: Timestamp,
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
        let (breaker, operation) = (self.breaker, self.operation);
        let took = breaker.clock.steady().since(self.began);
        histogram!("tollbar_engine_call_duration_seconds", "engine" => breaker.engine, "operation" => operation)
            .record(took);
        self.trip.ended(&done);
        if let Err(failure) = &done {
            breaker.count_failure(operation, failure.kind());
        }
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
        self.breaker.in_flight.decrement(1.0);
        self.breaker.settle(self.probes, self.answered);
    }
}

impl std::fmt::Debug for Breaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Breaker").field("state", &*self.state()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
