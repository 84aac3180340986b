//! P6: how soon after a fault a process serves everything again.

use std::collections::BTreeMap;

use super::{
    Promise, Report, Sort,
    answers::serves,
    timeline::{Phase, Timeline},
};
use crate::history::{FaultKind, History, Micros};

/// Measures the time from the end of each fault to the last answer that says less than it should.
pub(super) fn check(history: &History, timeline: &Timeline<'_>, report: &mut Report) {
    let mut last_bad = BTreeMap::<Micros, Micros>::new();
    for event in history.events.iter().filter(|event| !serves(event) && !timeline.stood_still(event)) {
        if let Phase::After(fault) = timeline.phase(event) {
            let last = last_bad.entry(fault.begun).or_default();
            *last = (*last).max(event.received);
        }
    }
    for fault in timeline.faults() {
        let last = last_bad.get(&fault.begun).copied().unwrap_or(fault.healed);
        let took = last.saturating_sub(fault.healed);
        report.recoveries.entry(fault.kind).or_default().push(took);
        if last > timeline.recovered(fault) {
            let what = format!("full service took {took} us after the fault was over");
            let sort = Sort { promise: Promise::P6, about: "recovery", fault: Some(fault.kind) };
            report.blame(sort, last, what);
        }
    }
}

/// The middle one and the longest of these times.
pub(super) fn typical(
    recoveries: &BTreeMap<FaultKind, Vec<Micros>>,
    kind: FaultKind,
) -> Option<(Micros, Micros)> {
    let mut times = recoveries.get(&kind)?.clone();
    times.sort_unstable();
    Some((*times.get(times.len() / 2)?, *times.last()?))
}

#[cfg(test)]
mod tests;
