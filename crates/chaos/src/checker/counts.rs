//! P3: what was acknowledged was counted, and nothing was counted that was not asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::{Promise, Report, Sort, boards::rank};
use crate::history::{Api, History, Micros, Op, User};

/// A sketch is off by 0.81 % as a rule; of so few callers it is off by less than this.
const SKETCH_PERCENT: u64 = 5;

/// How long the board may take until it is complete (P3), from when the ledger is.
const COMPLETE: Micros = 1_000_000;

/// Of one account and policy: calls that were acknowledged, and those that may have been counted.
#[derive(Debug, Clone, Copy, Default)]
struct Calls {
    acknowledged: u64,
    possible: u64,
}

/// Holds the totals of the end to the calls.
pub(super) fn check(history: &History, report: &mut Report) {
    let calls = calls(history);
    let end = &history.end;
    let now = history.events.iter().map(|event| event.received).max().unwrap_or(0);
    let mut blame = |about, what: String| {
        report.blame(Sort { promise: Promise::P3, about, fault: None }, now, what);
    };
    let mut wrong = 0;
    let mut known = BTreeSet::new();
    for ((user, api), calls) in &calls {
        // Whoever has no number has never called.
        let Some(id) = history.id(*user) else { continue };
        known.insert((*api, id));
        for (place, totals) in [("ledger", &end.ledger), ("live totals", &end.live)] {
            let total = totals.get(&(*api, id)).copied().unwrap_or(0);
            if !(calls.acknowledged..=calls.possible).contains(&total) {
                wrong += 1;
                blame(
                    place,
                    format!(
                        "the {place} have {total} calls of {} by account {user} (id {id}); acknowledged {}, possible {}",
                        api.name(),
                        calls.acknowledged,
                        calls.possible
                    ),
                );
            }
        }
    }
    for (place, totals) in [("ledger", &end.ledger), ("live totals", &end.live)] {
        for ((api, id), total) in totals.iter().filter(|(key, total)| !known.contains(key) && **total > 0) {
            wrong += 1;
            blame(
                place,
                format!("the {place} have {total} calls of {} by id {id}, who never called", api.name()),
            );
        }
    }
    // What was not acknowledged may be counted in one place and not in the other; the boards are those of the live one.
    let best = rank(&end.live);
    for (process, board) in end.boards.iter().enumerate().filter(|(_, board)| **board != best) {
        wrong += 1;
        blame("board", format!("process {process} says {board:?} at the end, and the live totals {best:?}"));
    }
    let callers = |is: fn(&Calls) -> bool| {
        let of_ping = calls.iter().filter(|((_, api), calls)| *api == Api::Closed && is(calls));
        of_ping.count() as u64
    };
    let (least, most) = (callers(|calls| calls.acknowledged > 0), callers(|calls| calls.possible > 0));
    let (least, most) = (least - least * SKETCH_PERCENT / 100, most + most.div_ceil(100 / SKETCH_PERCENT));
    for (process, count) in end.counts.iter().enumerate().filter(|(_, c)| !(least..=most).contains(*c)) {
        wrong += 1;
        blame("callers", format!("process {process} says that {count} have called: {least} to {most} have"));
    }
    if wrong == 0 && end.settled_after > COMPLETE + history.terms.flush + history.terms.slack {
        blame("time", format!("the counts were complete only {} us after the last call", end.settled_after));
    }
    report.totals += (known.len() * 2) as u64;
    report.miscounted += wrong;
    report.settled.push(end.settled_after);
}

fn calls(history: &History) -> BTreeMap<(User, Api), Calls> {
    let mut calls = BTreeMap::<_, Calls>::new();
    for event in &history.events {
        if let (Some(user), Op::Call(api)) = (event.user, event.op) {
            let calls = calls.entry((user, api)).or_default();
            calls.acknowledged += u64::from(event.is_admitted());
            calls.possible += u64::from(event.may_be_counted(history.terms.redis_deadline));
        }
    }
    calls
}

/// Whether the readings at the end fit the calls, however long that took.
pub(super) fn fit(history: &History) -> bool {
    let mut report = Report::default();
    check(history, &mut report);
    report.miscounted == 0
}

#[cfg(test)]
mod tests;
