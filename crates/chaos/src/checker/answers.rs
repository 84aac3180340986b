//! P5: what can be served is served, and what cannot is 503 with Retry-After.

use super::{
    Promise, Report, Sort,
    timeline::{Phase, Timeline},
};
use crate::history::{Answer, Engine, Event, Fault, History, Micros, Op};

/// Judges every answer, but not what it says of sessions and counts.
pub(super) fn check(history: &History, timeline: &Timeline<'_>, report: &mut Report) {
    for (_, events) in history.by_user() {
        for event in &events {
            judge(history, timeline, event, &events, report);
        }
    }
    for event in history.events.iter().filter(|event| event.user.is_none()) {
        judge(history, timeline, event, &[], report);
    }
}

fn judge(history: &History, timeline: &Timeline<'_>, event: &Event, user: &[&Event], report: &mut Report) {
    if serves(event) {
        return;
    }
    let phase = timeline.phase(event);
    let (what, is_excused) = match (event.answer, phase) {
        (Answer::Status { code: 503, retry_after: true }, phase) => {
            report.refused += 1;
            let is_excused = match phase {
                Phase::Calm => false,
                Phase::Beside(fault) => waits_for_another(history, event, fault, user),
                Phase::Under(fault, _) => {
                    may_refuse(event.op, fault) && !is_surely_cached(history, event, user)
                }
                // How long that may go on is P6.
                Phase::After(_) => true,
            };
            ("can be served, and was refused with", is_excused)
        }
        (Answer::NotSent | Answer::Lost | Answer::Silent, Phase::Under(fault, _) | Phase::After(fault)) => {
            ("got", fault.kind.is_of_process())
        }
        _ => ("got", false),
    };
    if is_excused {
        return;
    }
    if timeline.stood_still(event) && event.answer.code() == Some(503) {
        report.stood_still += 1;
        return;
    }
    report.wrong_answers += 1;
    let kind = timeline.fault_at(event.received);
    let what = format!("{} at process {} {what} {}", event.op, event.process, event.answer);
    report.blame(Sort { promise: Promise::P5, about: event.op.name(), fault: kind }, event.sent, what);
}

/// Whether the answer is one that a service gives that lacks nothing.
pub(super) fn serves(event: &Event) -> bool {
    let codes: &[u16] = match event.op {
        Op::Signup | Op::Top | Op::Count | Op::Ready => &[200],
        Op::Login => &[200, 401],
        Op::Logout => &[204, 401],
        Op::Call(_) => &[200, 401, 429],
    };
    event.answer.code().is_some_and(|code| codes.contains(&code))
}

/// Whether a fault may keep a process from serving this.
fn may_refuse(op: Op, fault: &Fault) -> bool {
    let (redis, postgres) = (fault.kind.takes_away(Engine::Redis), fault.kind.takes_away(Engine::Postgres));
    let by_engine = match op {
        Op::Signup | Op::Login | Op::Logout => postgres,
        Op::Call(api) => postgres || (redis && api.is_closed()),
        // There are two copies of the counts, and two engines that may answer.
        Op::Top | Op::Count | Op::Ready => false,
    };
    by_engine || fault.kind.is_of_process()
}

/// Whether a change of the same account hangs in a process that is hit: its transaction holds the account for a deadline.
fn waits_for_another(history: &History, event: &Event, fault: &Fault, user: &[&Event]) -> bool {
    let is_change = |event: &Event| matches!(event.op, Op::Login | Op::Logout);
    let holds = history.terms.postgres_deadline;
    let hangs = |other: &&Event| {
        is_change(other)
            && fault.reach.hits(other.process)
            && other.sent < event.received
            && event.sent < other.received + holds
            && fault.overlaps(other.sent, other.received)
    };
    is_change(event) && user.iter().any(hangs)
}

/// Whether the session of a call must be cached: its login was published a short while ago, in peace, and nothing has changed since.
fn is_surely_cached(history: &History, event: &Event, user: &[&Event]) -> bool {
    let is_change =
        |other: &&&Event| matches!(other.op, Op::Login | Op::Logout) && other.answer != Answer::NotSent;
    let is_login = |other: &&&Event| {
        other.op == Op::Login && other.answer.code() == Some(200) && other.version == event.version
    };
    let Some(login) = user.iter().find(is_login) else { return false };
    let others = user.iter().filter(is_change).filter(|other| other.sent != login.sent);
    let alone =
        others.into_iter().all(|other| other.received + NEAR < login.sent || other.sent > event.received);
    alone && matches!(event.op, Op::Call(_)) && is_in_peace(history, login, event)
}

/// Within this time of a fault, or of another change, nothing is sure.
const NEAR: Micros = 3_000_000;

/// No fault was near the login but the one that the call meets, and the entry has not run out.
fn is_in_peace(history: &History, login: &Event, call: &Event) -> bool {
    let from = login.sent.saturating_sub(NEAR);
    let met: Vec<_> = history.faults.iter().filter(|fault| fault.overlaps(from, call.received)).collect();
    let of_postgres = |fault: &&&Fault| {
        fault.kind.takes_away(Engine::Postgres) && fault.begun > login.received && call.sent > login.received
    };
    met.len() == 1
        && met.iter().all(|fault| of_postgres(&fault))
        && call.received + history.terms.slack < login.sent + history.terms.cache_ttl
}

#[cfg(test)]
mod tests;
