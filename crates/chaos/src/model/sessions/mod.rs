//! The session protocol: what a later login or logout has ended never checks as live again.
//!
//! The steps are those of `core/src/sessions/tiered.rs`, a script of Redis or a transaction of the durable tier each: `redis` and
//! `store` hold what these do, `reader` and `change` who takes them in which order, `faults` what goes wrong between
//! them, `promise` what is checked. There is one user: users have nothing in common.

mod action;
mod change;
mod faults;
mod naive;
mod promise;
mod reader;
mod redis;
mod rule;
mod size;
mod state;
mod store;

use stateright::{Model, Property};

use super::{Naive, Protocol, Scale};
use action::{Action, Delivery};
use rule::Rule;
use size::Size;
use state::State;

/// The protocol within bounds, whole or without one of its rules.
#[derive(Debug, Clone)]
pub struct Sessions {
    /// What may happen in a run.
    size: Size,
    /// The rule that a naive variant does without.
    broken: Option<Rule>,
}

impl Sessions {
    /// Whether the rule is kept.
    fn keeps(&self, rule: Rule) -> bool {
        self.broken != Some(rule)
    }

    /// The moment after a step.
    fn step(&self, state: &State, action: Action) -> State {
        let mut next = state.clone();
        match action {
            Action::Read { reader, token, delivery } => self.look_up(&mut next, reader, token, delivery),
            Action::Load(reader) => next.load(reader),
            Action::JoinLoad { reader, of } => next.join_load(reader, of),
            Action::Fill { reader, delivery } => self.fill(&mut next, reader, delivery),
            Action::Announce { change, token, delivery } => self.announce(&mut next, change, token, delivery),
            Action::Commit(change) => self.commit(&mut next, change),
            Action::LookAgain { change, delivery } => self.look_again(&mut next, change, delivery),
            Action::LoadAgain(change) => next.load_again(change),
            Action::Publish { change, delivery } => self.publish(&mut next, change, delivery),
            Action::ExecuteLate(script) => self.execute_late(&mut next, script),
            Action::EndReader(reader) => next.end_reader(reader),
            Action::EndChange(change) => next.end_change(change),
            Action::Evict => next.redis.entry = None,
            Action::Lapse => next.redis.lease = None,
            Action::Tick => next.clock += 1,
            Action::Snapshot => next.snapshot = Some(next.redis),
            Action::FallBack => next.fall_back(),
            Action::Empty => next.empty(),
        }
        next
    }
}

impl Protocol for Sessions {
    const NAME: &'static str = "sessions";

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
            Naive { flaw: rule.to_string(), model, breaks }
        };
        Rule::ALL.into_iter().map(without).collect()
    }
}

impl Model for Sessions {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(&self.size)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.reader_actions(state, actions);
        state.change_actions(actions);
        state.fault_actions(actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        Some(self.step(state, action))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promise::properties()
    }
}
