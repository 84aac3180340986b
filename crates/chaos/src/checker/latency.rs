//! P5: how long answers take, in calm and under each fault.

use super::{
    Promise, Report, Sort,
    timeline::{Phase, Since, Timeline},
};
use crate::history::{Answer, Engine, Event, FaultKind, History, Micros, Op, Terms};

/// Under what an answer was given: in calm, or under a fault for so long.
pub(super) type Under = Option<(FaultKind, Since)>;

/// What comes on top of calm and deadlines.
const REST: Micros = 20_000;
/// A 99th percentile of fewer answers is their worst.
const ENOUGH: u64 = 100;

/// Collects the times, and holds those under a fault to those in calm.
pub(super) fn check(history: &History, timeline: &Timeline<'_>, report: &mut Report) {
    let mut own = Report::default();
    let counts = |event: &&Event| event.answer != Answer::NotSent && !timeline.stood_still(event);
    for event in history.events.iter().filter(counts) {
        if let Some(under) = under(timeline, event) {
            own.times.entry((under, event.op)).or_default().add(event.received - event.sent);
        }
    }
    for ((under, op), times) in &own.times {
        let Some((kind, since)) = *under else { continue };
        let Some(bound) = bound(&own, &history.terms, *op, kind) else { continue };
        let Some(p99) = times.percentile(99).filter(|_| times.count() >= ENOUGH) else { continue };
        if p99 > bound + history.terms.slack {
            let what = format!("{op} took {p99} us (p99, {since:?}); {bound} us is what a deadline explains");
            let sort = Sort { promise: Promise::P5, about: "time", fault: Some(kind) };
            report.blame(sort, 0, what);
        }
    }
    for (key, times) in &own.times {
        report.times.entry(*key).or_default().merge(times);
    }
}

/// `None`: the answer tells nothing of the fault, as that of a process which is stopped itself.
fn under(timeline: &Timeline<'_>, event: &Event) -> Option<Under> {
    match timeline.phase(event) {
        Phase::Under(fault, since) => {
            // What begins before the fault, or ends after it, is part of neither.
            let is_within = event.sent >= fault.applied && event.sent <= fault.healing;
            (is_within && !fault.kind.is_of_process()).then_some(Some((fault.kind, since)))
        }
        _ => timeline.is_calm(event).then_some(None),
    }
}

/// The longest that the 99th percentile may be: that of calm, and one deadline of the engine that does not answer.
pub(super) fn bound(report: &Report, terms: &Terms, op: Op, kind: FaultKind) -> Option<Micros> {
    let calm = report.times.get(&(None, op))?;
    let calm = calm.percentile(99).filter(|_| calm.count() >= ENOUGH)?;
    let needs_postgres = !matches!(op, Op::Top | Op::Count);
    let deadline = match () {
        () if kind.takes_away(Engine::Redis) => terms.redis_deadline,
        () if kind.takes_away(Engine::Postgres) && needs_postgres => terms.postgres_deadline,
        () => 0,
    };
    // A slow link adds to every trip, of which there are a few.
    (!is_slow(kind)).then_some(calm + deadline + REST)
}

fn is_slow(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::Link(_, crate::history::LinkFault::Slow))
}

#[cfg(test)]
mod tests;
