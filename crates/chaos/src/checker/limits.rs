//! P4: no window ever holds more than its quota, so far as the times of sending and receiving can tell.

use std::collections::BTreeMap;

use super::{Promise, Report, Sort};
use crate::history::{Api, Engine, Event, Fault, FaultKind, History, LinkFault, Micros, Op, Stall, Window};

/// By how much Redis' clock and ours may differ over a period.
const CLOCKS: Micros = 1_000;
/// For how long after an outage a process may still go by what the policy says of one.
const OUTAGE_ENDS: Micros = 1_500_000;

/// Judges every window of every account.
pub(super) fn check(history: &History, report: &mut Report) {
    for (user, events) in history.by_user() {
        let mut admitted = BTreeMap::<Api, Vec<&Event>>::new();
        for event in events.into_iter().filter(|event| event.is_admitted()) {
            if let Op::Call(api) = event.op {
                admitted.entry(api).or_default().push(event);
                judge_outage(history, event, api, report);
            }
        }
        for (api, events) in admitted {
            for window in history.terms.windows(api) {
                judge_window(history, api, *window, &events, report, user);
            }
        }
    }
}

/// Calls whose decisions certainly lie within less than a period: sent after the first one was, and answered in time.
fn judge_window(
    history: &History,
    api: Api,
    window: Window,
    events: &[&Event],
    report: &mut Report,
    user: u32,
) {
    let mut skip_until = 0;
    for (at, first) in events.iter().enumerate() {
        let ends = first.sent + window.period - CLOCKS;
        let Some(most) = most(history, api, window, first.sent, ends) else { continue };
        let within = events[at..].iter().take_while(|event| event.sent < ends);
        let held = within.filter(|event| event.received < ends).count();
        report.windows += 1;
        // One breach is not told again for each window that shares its calls.
        if held > most && first.sent >= skip_until {
            skip_until = ends;
            report.over_admitted += (held - most) as u64;
            let what = format!(
                "{held} calls of {} by account {user} were admitted within {} us; at most {most} may be",
                api.name(),
                window.period
            );
            let fault = history.faults.iter().rfind(|fault| fault.overlaps(first.sent, ends));
            let sort = Sort { promise: Promise::P4, about: api.name(), fault: fault.map(|fault| fault.kind) };
            report.blame(sort, first.sent, what);
        }
    }
}

/// How many calls may be admitted between these times; `None` where nothing is promised.
fn most(history: &History, api: Api, window: Window, from: Micros, to: Micros) -> Option<usize> {
    let near = history.faults.iter().filter(|fault| fault.overlaps(from, to));
    let losses = near.filter(|fault| fault.loses_state).count();
    let most = window.quota * (1 + losses);
    // Whatever keeps a process from Redis in time is an outage to it.
    let is_outage = |(begun, healed)| begun <= to && from <= healed + OUTAGE_ENDS;
    let faults = history.faults.iter().map(|fault| (fault.begun, fault.healed));
    // So it is where Redis or the machine stood still of itself.
    let of_postgres = |stall: &&Stall| stall.engine == Some(Engine::Postgres);
    let stalls =
        history.stalls.iter().filter(|stall| !of_postgres(stall)).map(|stall| (stall.from, stall.to));
    match (api, faults.chain(stalls).filter(|times| is_outage(*times)).count()) {
        (Api::Closed | Api::Wide, _) | (_, 0) => Some(most),
        (Api::Open, _) => None,
        // Each process has a quota of its own then, once a period that is as long as there are processes.
        (Api::Local, outages) => Some(most + outages * window.quota * usize::from(history.terms.processes)),
    }
}

/// A closed policy admits nobody while its process has no Redis.
fn judge_outage(history: &History, event: &Event, api: Api, report: &mut Report) {
    let without = |fault: &&Fault| {
        let late = FaultKind::Link(Engine::Redis, LinkFault::Late);
        fault.kind.takes_away(Engine::Redis)
            && fault.kind != late
            && fault.reach.hits(event.process)
            && fault.covers(event.sent, event.received)
    };
    if let Some(fault) = history.faults.iter().find(without).filter(|_| api.is_closed()) {
        report.over_admitted += 1;
        let what = format!("process {} admitted a call of {} without Redis", event.process, api.name());
        let sort = Sort { promise: Promise::P4, about: "outage", fault: Some(fault.kind) };
        report.blame(sort, event.sent, what);
    }
}

#[cfg(test)]
mod tests;
