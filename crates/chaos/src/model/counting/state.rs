//! All that the counting protocol remembers: in the ledger, in Redis, in processes and on the way between them.

use super::{
    ledger::{Addition, Ledger},
    process::Process,
    redis::{Batch, Redis, Settlement},
};

/// More users than any size has. User `u` is alone in partition `u`: users of one partition differ in nothing.
pub(super) const USERS: usize = 2;
/// More incarnations than any size reaches.
pub(super) const AUTHORS: usize = 5;
/// More epochs of one author than any size reaches.
pub(super) const EPOCHS: usize = 6;

/// Calls by user.
pub(super) type Calls = [u8; USERS];

/// Adds calls to others.
pub(super) fn add(to: &mut Calls, calls: Calls) {
    for (to, calls) in to.iter_mut().zip(calls) {
        *to += calls;
    }
}

/// Raises calls to others where they are less.
pub(super) fn raise(to: &mut Calls, calls: Calls) {
    for (to, calls) in to.iter_mut().zip(calls) {
        *to = calls.max(*to);
    }
}

/// Whether no user has more calls than another sum says.
pub(super) fn at_most(calls: Calls, bound: Calls) -> bool {
    calls.iter().zip(bound).all(|(calls, bound)| *calls <= bound)
}

/// What may still happen in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Left {
    pub(super) calls: u8,
    pub(super) crashes: u8,
    pub(super) lapses: u8,
    pub(super) losses: u8,
    pub(super) lost_answers: u8,
    pub(super) outages: u8,
}

/// One moment of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub(super) ledger: Ledger,
    pub(super) redis: Redis,
    /// What Redis may fall back to.
    pub(super) snapshot: Option<Box<Redis>>,
    pub(super) processes: Vec<Process>,
    /// Batches on their way to Redis or back, sorted.
    pub(super) batches: Vec<Batch>,
    /// Transactions on their way to the ledger, sorted.
    pub(super) additions: Vec<Addition>,
    /// Settlements that may still arrive though nobody waits for them, sorted.
    pub(super) settlements: Vec<Settlement>,
    /// What clients have sent.
    pub(super) sent: Calls,
    /// What clients have been told was admitted.
    pub(super) acknowledged: Calls,
    pub(super) left: Left,
}

impl State {
    pub(super) fn process(&self, process: u8) -> &Process {
        &self.processes[usize::from(process)]
    }

    pub(super) fn process_mut(&mut self, process: u8) -> &mut Process {
        &mut self.processes[usize::from(process)]
    }

    /// The processes that live, by their number.
    pub(super) fn alive(&self) -> impl Iterator<Item = (u8, &Process)> {
        (0..).zip(&self.processes).filter(|(_, is)| is.is_alive)
    }
}
