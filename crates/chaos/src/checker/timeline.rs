//! In which part of a run a request falls: under a fault, soon after one, or in calm.

use std::ops::RangeInclusive;

use crate::history::{Event, Fault, FaultKind, History, Micros, ProcessId, Stall};

/// How long after a fault the service may take to be whole again (P6).
pub(super) const RECOVERY: Micros = 1_000_000;

/// For how long after all of it an unknown outcome may still come about: a statement that waits in PostgreSQL.
const AFTERMATH: Micros = 3_000_000;

/// How long a breaker may refuse calls after a stall that opened it: until it asks, less often the longer it has, and is answered.
const REFUSES_ON: RangeInclusive<Micros> = 100_000..=600_000;
/// How many stalls may overlap with one another.
const NEARBY: usize = 8;

/// Whether a stall is part of a fault, or of what the fault leaves to do. A broken link is none to whoever looks at the engine itself.
fn explains(fault: &Fault, stall: &Stall) -> bool {
    let is_link = matches!(fault.kind, FaultKind::Link(..));
    let of_engine =
        |engine| !is_link && fault.kind.takes_away(engine) || fault.kind == FaultKind::RedisEmptied;
    stall.engine.is_some_and(of_engine) && fault.overlaps(stall.from, stall.to)
}

/// Where a request falls, from the point of view of the process that it was sent to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Phase<'a> {
    /// No fault has hit this process yet, or others were hit since; and no fault is under way.
    Calm,
    /// A fault hits another process, or was over only just now.
    Beside(&'a Fault),
    /// A fault hits this process, for more than a second already, or not.
    Under(&'a Fault, Since),
    /// The last fault hit this process, and is over.
    After(&'a Fault),
}

/// How long a fault has held when a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Since {
    /// Less than a second, or it began only then.
    FirstSecond,
    /// More.
    Later,
}

/// The faults in the order of time.
pub(super) struct Timeline<'a> {
    faults: Vec<&'a Fault>,
    slack: Micros,
    stalls: Vec<Stall>,
}

impl<'a> Timeline<'a> {
    pub(super) fn new(history: &'a History) -> Self {
        let mut faults: Vec<_> = history.faults.iter().collect();
        faults.sort_by_key(|fault| fault.begun);
        let mut stalls = history.stalls.clone();
        stalls.retain(|stall| !faults.iter().any(|fault| explains(fault, stall)));
        stalls.sort_by_key(|stall| stall.from);
        Self { faults, slack: history.terms.slack, stalls }
    }

    /// The faults, in the order of time.
    pub(super) fn faults(&self) -> &[&'a Fault] {
        &self.faults
    }

    /// The last fault that had begun by the time of the answer, if any.
    fn last_begun(&self, by: Micros) -> Option<&'a Fault> {
        let at = self.faults.partition_point(|fault| fault.begun <= by);
        at.checked_sub(1).map(|last| self.faults[last])
    }

    /// Where a request falls.
    pub(super) fn phase(&self, event: &Event) -> Phase<'a> {
        let Some(fault) = self.last_begun(event.received) else { return Phase::Calm };
        // A request may have begun before the fault that it meets, and be older than two of them.
        let met = self.met(event.process, event.sent, event.received);
        if let Some(fault) = met {
            let since =
                if event.sent >= fault.applied + 1_000_000 { Since::Later } else { Since::FirstSecond };
            return Phase::Under(fault, since);
        }
        if fault.overlaps(event.sent, event.received) {
            return Phase::Beside(fault);
        }
        match () {
            () if fault.reach.hits(event.process) => Phase::After(fault),
            () if event.sent <= self.recovered(fault) => Phase::Beside(fault),
            () => Phase::Calm,
        }
    }

    /// When a process has to be whole again after a fault.
    pub(super) fn recovered(&self, fault: &Fault) -> Micros {
        fault.healed + RECOVERY + self.slack
    }

    /// Whether a request met no fault, nor what one leaves behind.
    pub(super) fn is_calm(&self, event: &Event) -> bool {
        match self.phase(event) {
            Phase::Calm => true,
            Phase::After(fault) => event.sent > self.recovered(fault),
            Phase::Beside(_) | Phase::Under(..) => false,
        }
    }

    /// The last fault of this process with which these times overlap.
    fn met(&self, process: ProcessId, sent: Micros, received: Micros) -> Option<&'a Fault> {
        let until = self.faults.partition_point(|fault| fault.begun <= received);
        let near = self.faults[..until].iter().rev().take(3);
        near.copied().find(|fault| fault.overlaps(sent, received) && fault.reach.hits(process))
    }

    /// Which fault was there at this time, or a moment before.
    pub(super) fn fault_at(&self, at: Micros) -> Option<FaultKind> {
        let fault = self.last_begun(at)?;
        (at <= self.recovered(fault)).then_some(fault.kind)
    }

    /// Whether something stood still of itself while a request waited, or just before: then a deadline may have been missed, or a breaker be open, for
    /// no other reason.
    pub(super) fn stood_still(&self, event: &Event) -> bool {
        let until = self.stalls.partition_point(|stall| stall.from <= event.received);
        self.stalls[..until].iter().rev().take(NEARBY).any(|stall| stall.to + refuses_on(stall) >= event.sent)
    }

    /// Until when what a request of unknown outcome asked for may still be done.
    pub(super) fn settled(&self, event: &Event) -> Micros {
        let near = self.faults.iter().filter(|fault| fault.overlaps(event.sent, event.received));
        near.map(|fault| fault.healed).fold(event.received, Micros::max) + AFTERMATH
    }
}

fn refuses_on(stall: &Stall) -> Micros {
    (stall.to - stall.from).clamp(*REFUSES_ON.start(), *REFUSES_ON.end())
}
