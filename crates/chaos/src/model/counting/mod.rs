//! The counting protocol: every admitted call is counted once, whatever single thing breaks.
//!
//! `acknowledged ≤ counted ≤ sent`, in the ledger and on the board. The parts: `ledger` and `redis` hold what transactions and
//! scripts do, `author` what a process does with its own epochs, `adoption` what it does with those of others,
//! `raising` how the board is brought back after a loss, `faults` what goes wrong, `promise` what is checked.

mod action;
mod adoption;
mod author;
mod faults;
mod ledger;
mod naive;
mod network;
mod process;
mod promise;
mod raising;
mod redis;
mod rule;
mod size;
mod state;

use stateright::{Model, Property};

use super::{Naive, Protocol, Scale};
use action::Action;
use process::Process;
use redis::{Mark, Redis};
use rule::Rule;
use size::Size;
use state::{State, USERS};

/// The protocol within bounds, whole or without one of its rules.
#[derive(Debug, Clone)]
pub struct Counting {
    /// What may happen in a run.
    size: Size,
    /// The rule that a naive variant does without.
    broken: Option<Rule>,
}

impl Counting {
    /// Whether the rule is kept.
    fn keeps(&self, rule: Rule) -> bool {
        self.broken != Some(rule)
    }

    /// The moment after a step.
    fn step(&self, state: &State, action: Action) -> State {
        let mut next = state.clone();
        match action {
            Action::Begin(process) => next.begin(process),
            Action::Call { process, user } => next.call(process, user),
            Action::CallWithoutRedis { process, user } => self.call_without_redis(&mut next, process, user),
            Action::Execute(batch) => next.execute(batch),
            Action::Hear(batch) => self.hear(&mut next, batch),
            Action::GiveUp(batch) => self.give_up(&mut next, batch),
            Action::TakeAnyway(batch) => self.take_anyway(&mut next, batch),
            Action::Close(process) => next.close(process),
            Action::Add(process) => self.add(&mut next, process),
            Action::Commit(addition) => self.commit(&mut next, addition),
            Action::HearAdded(process) => self.hear_added(&mut next, process),
            Action::GiveUpAdded(process) => self.give_up_added(&mut next, process),
            Action::Settle(process) => next.settle(process),
            Action::FailToSettle(process) => self.fail_to_settle(&mut next, process),
            Action::SettleLate(settlement) => next.settle_late(settlement),
            Action::Adopt { process, of, step } => self.adopt(&mut next, process, of, step),
            Action::BeginRaise(process) => self.begin_raise(&mut next, process),
            Action::ReadTotals(process) => next.read_totals(process),
            Action::RaiseBoard(process) => next.raise_board(process),
            Action::EndRaise(process) => self.end_raise(&mut next, process),
            Action::Crash(process) => next.crash(process),
            Action::Lapse(process) => next.lapse(process),
            Action::Snapshot => next.snapshot = Some(Box::new(next.redis)),
            Action::FallBack => next.fall_back(),
            Action::Empty => next.empty(),
        }
        next
    }
}

impl Protocol for Counting {
    const NAME: &'static str = "counting";

    fn bounds(&self) -> String {
        self.size.to_string()
    }

    fn whole(scale: Scale) -> Vec<Self> {
        let sizes = match scale {
            Scale::Small => Size::small(),
            Scale::Large => Size::large(),
        };
        sizes.into_iter().map(|size| Self { size, broken: None }).collect()
    }

    fn naive() -> Vec<Naive<Self>> {
        let without = |rule: Rule| {
            let (size, breaks) = rule.shown_by();
            let model = Self { size, broken: Some(rule) };
            Naive { flaw: rule.to_string(), model, breaks: Some(breaks) }
        };
        Rule::ALL.into_iter().map(without).collect()
    }
}

impl Model for Counting {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let size = self.size;
        let redis = Redis { mark: Mark::Sound { stamp: 0 }, ..Redis::empty(0) };
        vec![State {
            ledger: ledger::Ledger::default(),
            redis,
            snapshot: None,
            processes: (0..size.processes).map(Process::new).collect(),
            batches: Vec::new(),
            additions: Vec::new(),
            sent: [0; USERS],
            acknowledged: [0; USERS],
            settlements: Vec::new(),
            left: size.left,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (process, is) in state.alive() {
            self.author_actions(state, process, is, actions);
            self.adoption_actions(state, process, is, actions);
            self.raising_actions(state, process, is, actions);
        }
        state.network_actions(self.size.without_redis, actions);
        state.fault_actions(actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        Some(self.step(state, action))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promise::properties()
    }
}
