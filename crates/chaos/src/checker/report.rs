//! What the checker found: the figures, and every promise that was not kept.

use std::collections::BTreeMap;

use super::{
    Promise, Sort, Violation,
    histogram::Histogram,
    latency::{self, Under},
};
use crate::history::{Answer, FaultKind, History, Micros, Op, Terms};

/// How many violations of each sort are kept word by word; all are counted.
const KEPT: u64 = 3;

/// The figures of one stage, or of several together.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Requests that were sent.
    pub requests: u64,
    /// How often an engine or a process was killed.
    pub kills: u64,
    /// How often each kind of fault was injected.
    pub faults: BTreeMap<FaultKind, u64>,
    /// Acknowledged accounts that could not log in.
    pub lost_signups: u64,
    /// Acknowledged logins that were refused, and logouts that were undone in the durable tier.
    pub lost_sessions: u64,
    /// Refusals of sessions that were found to be right.
    pub refused_sessions: u64,
    /// Sessions that had ended and were admitted, within the bound and beyond it.
    pub probes: u64,
    /// Those of them within `session.cache_ttl` of a change of which Redis was not told.
    pub within_bound: u64,
    /// Those of them that were a violation.
    pub resurrected: u64,
    /// Windows that were looked at.
    pub windows: u64,
    /// Calls that were admitted beyond a quota, or without Redis.
    pub over_admitted: u64,
    /// Totals that were held to the calls.
    pub totals: u64,
    /// Leaderboards that were held to the calls.
    pub boards: u64,
    /// Those totals and leaderboards that were wrong.
    pub miscounted: u64,
    /// Answers of 503 with Retry-After.
    pub refused: u64,
    /// Answers of 503 with Retry-After that would count, had not the machine or an engine stood still of itself meanwhile.
    pub stood_still: u64,
    /// Answers that should not have been given, and those that were not given.
    pub wrong_answers: u64,
    /// How long after each fault the last refusal was.
    pub recoveries: BTreeMap<FaultKind, Vec<Micros>>,
    /// How long after the last call the counts were complete.
    pub settled: Vec<Micros>,
    /// What was not kept, word by word.
    pub violations: Vec<Violation>,
    /// How often each sort of thing went wrong.
    pub broken: BTreeMap<Sort, u64>,
    pub(super) times: BTreeMap<(Under, Op), Histogram>,
}

impl Report {
    /// Counts what needs no judgement.
    pub(super) fn count(&mut self, history: &History) {
        let sent = history.events.iter().filter(|event| event.answer != Answer::NotSent);
        self.requests += sent.count() as u64;
        for fault in &history.faults {
            *self.faults.entry(fault.kind).or_default() += 1;
            self.kills += u64::from(fault.kind.is_kill());
        }
        for complaint in &history.end.complaints {
            self.wrong_answers += 1;
            let sort = Sort { promise: Promise::P5, about: "process", fault: None };
            self.blame(sort, 0, complaint.clone());
        }
    }

    pub(super) fn blame(&mut self, sort: Sort, at: Micros, what: String) {
        let times = self.broken.entry(sort).or_default();
        *times += 1;
        if *times <= KEPT {
            self.violations.push(Violation { sort, at, what });
        }
    }

    /// Whether every promise was kept.
    pub fn is_clean(&self) -> bool {
        self.broken.is_empty()
    }

    /// How often a promise was not kept.
    pub fn times(&self, promise: Promise) -> u64 {
        self.broken.iter().filter(|(sort, _)| sort.promise == promise).map(|(_, times)| times).sum()
    }

    /// The longest that the 99th percentile of an answer may be under this fault.
    pub(super) fn bound(&self, terms: &Terms, op: Op, kind: FaultKind) -> Option<Micros> {
        latency::bound(self, terms, op, kind)
    }

    /// Adds the figures of another stage.
    pub fn merge(&mut self, other: Self) {
        for (mine, theirs) in [
            (&mut self.requests, other.requests),
            (&mut self.kills, other.kills),
            (&mut self.lost_signups, other.lost_signups),
            (&mut self.lost_sessions, other.lost_sessions),
            (&mut self.refused_sessions, other.refused_sessions),
            (&mut self.probes, other.probes),
            (&mut self.within_bound, other.within_bound),
            (&mut self.resurrected, other.resurrected),
            (&mut self.windows, other.windows),
            (&mut self.over_admitted, other.over_admitted),
            (&mut self.totals, other.totals),
            (&mut self.boards, other.boards),
            (&mut self.miscounted, other.miscounted),
            (&mut self.refused, other.refused),
            (&mut self.stood_still, other.stood_still),
            (&mut self.wrong_answers, other.wrong_answers),
        ] {
            *mine += theirs;
        }
        for (kind, times) in other.faults {
            *self.faults.entry(kind).or_default() += times;
        }
        for (sort, times) in other.broken {
            *self.broken.entry(sort).or_default() += times;
        }
        for (kind, times) in other.recoveries {
            self.recoveries.entry(kind).or_default().extend(times);
        }
        for (key, times) in other.times {
            self.times.entry(key).or_default().merge(&times);
        }
        self.settled.extend(other.settled);
        self.violations.extend(other.violations);
    }
}
