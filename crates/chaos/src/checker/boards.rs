//! P3, while the run goes on: leaderboards name whoever belongs there, with all of their calls.

use std::{cmp::Reverse, collections::HashMap};

use super::{Promise, Report, Sort};
use crate::history::{
    Api, Board, Engine, Fault, FaultKind, History, LinkFault, Micros, Op, Place, Stall, Totals,
};

/// Places on a board.
const PLACES: usize = 10;
/// What was acknowledged so long before a reading has to be in it.
const COMPLETE: Micros = 1_000_000;
/// How long after that another fault counts as one more at the same time.
const SOON: Micros = 1_000_000;

/// The board that these totals make.
pub(super) fn rank(totals: &Totals) -> Vec<Place> {
    let calls = totals.iter().filter(|((api, _), calls)| *api == Api::Closed && **calls > 0);
    let mut places: Vec<_> = calls.map(|((_, id), calls)| Place { id: *id, calls: *calls }).collect();
    places.sort_by_key(|place| (Reverse(place.calls), place.id));
    places.truncate(PLACES);
    places
}

/// When a caller's calls were acknowledged, and when they were sent that may have been counted; both sorted.
#[derive(Default)]
struct Caller {
    acknowledged: Vec<Micros>,
    possible: Vec<Micros>,
}

/// Holds every board to the calls before it.
pub(super) fn check(history: &History, report: &mut Report) {
    let callers = callers(history);
    for board in &history.boards {
        report.boards += 1;
        let breaches = breaches(history, &callers, board);
        if let [first, more @ ..] = &breaches[..] {
            report.miscounted += 1;
            let what = format!("{first} ({} more are wrong)", more.len());
            let sort = Sort { promise: Promise::P3, about: "board", fault: fault_near(history, board) };
            report.blame(sort, board.sent, what);
        }
    }
}

fn callers(history: &History) -> HashMap<u64, Caller> {
    let mut callers = HashMap::<_, Caller>::new();
    let calls = history.events.iter().filter(|event| event.op == Op::Call(Api::Closed));
    for (event, id) in calls.filter_map(|event| Some((event, history.id(event.user?)?))) {
        let caller = callers.entry(id).or_default();
        if event.is_admitted() {
            caller.acknowledged.push(event.received);
        }
        if event.may_be_counted(history.terms.redis_deadline) {
            caller.possible.push(event.sent);
        }
    }
    for caller in callers.values_mut() {
        caller.acknowledged.sort_unstable();
        caller.possible.sort_unstable();
    }
    callers
}

fn breaches(history: &History, callers: &HashMap<u64, Caller>, board: &Board) -> Vec<String> {
    let mut found = Vec::new();
    let nobody = Caller::default();
    let process = board.process;
    if !board.places.is_sorted_by_key(|place| (Reverse(place.calls), place.id)) {
        found.push(format!("process {process} gives a board out of order: {:?}", board.places));
    }
    for Place { id, calls } in &board.places {
        let sent = before(&callers.get(id).unwrap_or(&nobody).possible, board.received);
        if *calls > sent {
            found.push(format!("process {process} says {calls} calls of id {id}, of which {sent} were sent"));
        }
    }
    found.extend(misnamed(history, board));
    if may_be_behind(history, board) {
        return found;
    }
    let due = board.sent.saturating_sub(lag(history));
    // Whoever is not on a full board is below its last place.
    let lowest = board.places.get(PLACES - 1).map_or(0, |place| place.calls);
    for (id, caller) in callers {
        let least = before(&caller.acknowledged, due);
        let place = board.places.iter().find(|place| place.id == *id);
        let shown = place.map_or(lowest, |place| place.calls);
        if shown < least {
            let where_ = if place.is_some() { "shows" } else { "leaves out, and its last place has" };
            found.push(format!("process {process} {where_} {shown} calls; id {id} has {least} or more"));
        }
    }
    found
}

/// A board of the ledger says so, and another one does not.
fn misnamed(history: &History, board: &Board) -> Option<String> {
    let (from, to, process) = (board.sent, board.received, board.process);
    // Where Redis only takes no writes, or is slow, its own board can be had.
    let is_away = |kind| match kind {
        FaultKind::Link(Engine::Redis, fault) => !matches!(fault, LinkFault::Slow | LinkFault::Late),
        kind => matches!(kind, FaultKind::Killed(Engine::Redis) | FaultKind::Paused(Engine::Redis)),
    };
    let mut here = history.faults.iter().filter(|fault| fault.reach.hits(process));
    let is_without = here.any(|fault| is_away(fault.kind) && fault.covers(from, to));
    if is_without && !board.is_stale {
        return Some(format!("process {process} gives a board without Redis, and does not call it stale"));
    }
    // What one process could not tell Redis, or was about to, makes the boards of all stale, until it is told.
    let matters = |fault: &Fault| {
        fault.reach.hits(process) || fault.kind.takes_away(Engine::Redis) || fault.kind.is_of_process()
    };
    let is_near = |begun, healed: Micros| begun <= to && from <= healed + COMPLETE + history.terms.slack;
    let faults =
        history.faults.iter().filter(|fault| matters(fault)).map(|fault| (fault.begun, fault.healed));
    // What stood still of itself keeps a process from telling Redis, too.
    let of_redis = |stall: &&Stall| stall.engine != Some(Engine::Postgres);
    let stalls = history.stalls.iter().filter(of_redis).map(|stall| (stall.from, stall.to));
    let is_near = faults.chain(stalls).any(|(begun, healed)| is_near(begun, healed));
    (board.is_stale && !is_near)
        .then(|| format!("process {process} calls a board stale, and nothing is away"))
}

fn before(times: &[Micros], by: Micros) -> u64 {
    times.partition_point(|time| *time < by) as u64
}

/// How far back a board may be.
fn lag(history: &History) -> Micros {
    COMPLETE + history.terms.flush + history.terms.slack
}

/// A fault so shortly before, that what it took away need not be there again.
fn may_be_behind(history: &History, board: &Board) -> bool {
    let lag = lag(history);
    history.faults.iter().any(|fault| {
        let begins = fault.begun <= board.received && board.sent < fault.applied + lag;
        let ends = fault.healing <= board.received && board.sent < fault.healed + lag;
        begins
            || ends
            || (follows_a_loss(history, fault)
                && fault.overlaps(board.sent.saturating_sub(lag), board.received))
    })
}

/// Whether PostgreSQL went away so soon after Redis had lost something that the calls between need not have been flushed: two faults
/// in one.
fn follows_a_loss(history: &History, fault: &Fault) -> bool {
    let recently =
        |loss: &Fault| loss.healed <= fault.begun && fault.begun < loss.healed + SOON + lag(history);
    fault.kind.takes_away(Engine::Postgres)
        && history.faults.iter().filter(|loss| loss.loses_state).any(recently)
}

fn fault_near(history: &History, board: &Board) -> Option<FaultKind> {
    let near = history.faults.iter().rfind(|fault| fault.overlaps(board.sent, board.received));
    near.map(|fault| fault.kind)
}

#[cfg(test)]
mod tests;
