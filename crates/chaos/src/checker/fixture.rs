//! Small histories, written by hand: times are in milliseconds.

use super::{Promise, Report, check};
use crate::history::{
    Answer, Api, Engine, Event, Fault, FaultKind, History, Micros, Op, Reach, Terms, User, Window,
};

/// A history with the settings that the harness has, and no slack.
pub(super) fn history() -> History {
    let window = |quota, seconds: Micros| vec![Window { quota, period: seconds * 1_000_000 }];
    let terms = Terms {
        processes: 2,
        cache_ttl: 5_000_000,
        session_ttl: 600_000_000,
        flush: 0,
        redis_deadline: 100_000,
        postgres_deadline: 1_000_000,
        deny_cache: false,
        windows: [window(2, 1), window(1000, 60), window(2, 1), window(2, 1)],
        slack: 0,
    };
    History { terms, ids: vec![Some(101), Some(102), Some(103)], ..History::default() }
}

impl History {
    /// Adds a request of an account to process 0, from one time to another.
    pub(super) fn at(
        &mut self,
        times: (Micros, Micros),
        user: User,
        op: Op,
        version: u64,
        code: u16,
    ) -> &mut Event {
        self.events.push(Event {
            sent: times.0 * 1000,
            received: times.1 * 1000,
            user: Some(user),
            version,
            process: 0,
            op,
            answer: Answer::of(code),
        });
        self.events.last_mut().unwrap()
    }

    /// Adds a call to `/ping`.
    pub(super) fn call(
        &mut self,
        times: (Micros, Micros),
        user: User,
        version: u64,
        code: u16,
    ) -> &mut Event {
        self.at(times, user, Op::Call(Api::Closed), version, code)
    }

    /// Adds a request of nobody.
    pub(super) fn ask(&mut self, times: (Micros, Micros), op: Op, code: u16) -> &mut Event {
        let event = self.at(times, 0, op, 0, code);
        event.user = None;
        event
    }

    /// Adds a fault of every process that holds from one time to another.
    pub(super) fn fault(&mut self, kind: FaultKind, times: (Micros, Micros)) -> &mut Fault {
        let (begun, healed) = (times.0 * 1000, times.1 * 1000);
        let loses_state = matches!(kind, FaultKind::RedisEmptied | FaultKind::Killed(Engine::Redis));
        let (applied, healing, reach) = (begun, healed, Reach::All);
        self.faults.push(Fault { kind, reach, begun, applied, healing, healed, loses_state });
        self.faults.last_mut().unwrap()
    }

    /// What the checker says of one promise; totals and boards are made to fit unless they are what is judged.
    pub(super) fn broken(&self, promise: Promise) -> u64 {
        check(self).times(promise)
    }

    /// Makes the totals of the end those of the acknowledged calls.
    pub(super) fn counted(mut self) -> Self {
        (self.end.ledger, self.end.live) = <_>::default();
        for event in self.events.iter().filter(|event| event.is_admitted()) {
            let (Op::Call(api), Some(user)) = (event.op, event.user) else { continue };
            let key = (api, self.id(user).unwrap());
            *self.end.ledger.entry(key).or_default() += 1;
            *self.end.live.entry(key).or_default() += 1;
        }
        self.end.boards = vec![super::boards::rank(&self.end.ledger); 2];
        let callers = self.end.ledger.keys().filter(|(api, _)| *api == Api::Closed).count();
        self.end.counts = vec![callers as u64; 2];
        self
    }
}

/// Fails with the violations where there are any.
#[track_caller]
pub(super) fn assert_clean(history: &History) -> Report {
    let report = check(history);
    assert!(report.is_clean(), "{:#?}", report.violations);
    report
}
