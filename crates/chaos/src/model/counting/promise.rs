//! What is checked at every moment of every run.

use stateright::{Model as _, Property};

use super::{
    Counting, State,
    ledger::{Adopted, Author},
    process::Process,
    state::{USERS, at_most},
};

pub(super) const COUNTED_WERE_SENT: &str = "counted calls ≤ sent calls";
pub(super) const LEDGER_IS_COMPLETE: &str = "at rest, acknowledged calls ≤ the ledger's totals";
pub(super) const BOARD_IS_COMPLETE: &str = "at rest, acknowledged calls ≤ the board";
pub(super) const RAISES_END: &str = "whole raises come to an end";
pub(super) const NONE_IS_STUCK: &str = "no run gets stuck";

pub(super) fn properties() -> Vec<Property<Counting>> {
    vec![
        Property::always(COUNTED_WERE_SENT, |_, state: &State| {
            at_most(state.ledger.totals, state.sent) && at_most(state.redis.live, state.sent)
        }),
        Property::always(LEDGER_IS_COMPLETE, |_, state: &State| {
            !state.is_at_rest() || at_most(state.acknowledged, state.ledger.totals)
        }),
        Property::always(BOARD_IS_COMPLETE, |model: &Counting, state: &State| {
            !state.is_at_rest() || !state.is_raised(model) || at_most(state.acknowledged, state.redis.live)
        }),
        Property::always(RAISES_END, |model: &Counting, state: &State| {
            state.processes.iter().all(|is| is.raises <= model.size.raises())
        }),
        Property::always(NONE_IS_STUCK, |model: &Counting, state: &State| {
            let mut actions = Vec::new();
            model.actions(state, &mut actions);
            !actions.is_empty() || state.is_at_rest() && state.is_raised(model)
        }),
        Property::sometimes("every call is counted", |_, state: &State| {
            state.left.calls == 0
                && state.is_at_rest()
                && state.sent == state.acknowledged
                && state.sent == state.ledger.totals
                && state.sent == state.redis.live
        }),
    ]
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "sent {:?}, acknowledged {:?}, in the ledger {:?}, on the board {:?}",
            self.sent, self.acknowledged, self.ledger.totals, self.redis.live
        )
    }
}

impl State {
    /// Whether all epochs of living processes are flushed and all others adopted.
    fn is_at_rest(&self) -> bool {
        let is_idle =
            |is: &Process| is.closed.is_none() && is.open.sums == [0; USERS] && is.adoption.is_none();
        let is_own = |author| self.processes.iter().any(|is| is.is_alive && is.author == author);
        let is_done =
            |(author, of): (u8, &Author)| !of.begun || of.adopted == Adopted::Settled || is_own(author);
        self.batches.iter().all(|batch| batch.process.is_none())
            && self.processes.iter().filter(|is| is.is_alive).all(is_idle)
            && (0..).zip(&self.ledger.authors).all(is_done)
    }

    /// Whether everyone takes the board to be whole.
    fn is_raised(&self, model: &Counting) -> bool {
        let is_idle = |is: &Process| is.raising.is_none() && !is.must_raise;
        self.redis.is_sound(model.broken) && self.processes.iter().all(is_idle)
    }
}
