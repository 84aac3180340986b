//! How the board is brought back: a whole raise from the ledger, under a mark that a loss would take away.

use super::{
    Action, Counting, Rule, State,
    process::{Process, Raise, Raising},
    redis::Mark,
};

/// More processes than any size has.
const PROCESSES: u8 = 4;

impl Counting {
    pub(super) fn raising_actions(
        &self,
        state: &State,
        process: u8,
        is: &Process,
        actions: &mut Vec<Action>,
    ) {
        match is.raising {
            None if !is.must_raise && state.redis.is_sound(self.broken) => {}
            None if !self.size.joins && state.is_being_raised() => {}
            None => actions.push(Action::BeginRaise(process)),
            Some(raising) => actions.push(match raising.step {
                Raise::Read => Action::ReadTotals(process),
                Raise::Write(_) => Action::RaiseBoard(process),
                Raise::End => Action::EndRaise(process),
            }),
        }
    }

    pub(super) fn begin_raise(&self, state: &mut State, process: u8) {
        let is = state.process_mut(process);
        let nonce = process + PROCESSES * is.raises;
        is.raises += 1;
        // What fails to be settled from here on may be in totals that are read already.
        let had_to = std::mem::take(&mut is.must_raise);
        let (nonce, stamp) = state.redis.begin_raise(nonce, self.broken);
        state.process_mut(process).raising = Some(Raising { nonce, had_to, stamp, step: Raise::Read });
    }

    pub(super) fn end_raise(&self, state: &mut State, process: u8) {
        let Some(Raising { nonce, had_to, stamp, .. }) = state.process_mut(process).raising.take() else {
            return;
        };
        let is_sound = state.redis.end_raise(nonce, stamp, self.broken);
        let is = state.process_mut(process);
        is.must_raise |= had_to && !is_sound;
        if is_sound && !self.keeps(Rule::RaiseAgain) {
            is.must_raise = false;
        }
    }
}

impl State {
    pub(super) fn read_totals(&mut self, process: u8) {
        let totals = self.ledger.totals;
        self.raise(process, Raise::Write(totals));
    }

    pub(super) fn raise_board(&mut self, process: u8) {
        if let Some(Raising { step: Raise::Write(totals), .. }) = self.process(process).raising {
            self.redis.raise(totals);
            self.raise(process, Raise::End);
        }
    }

    fn raise(&mut self, process: u8, step: Raise) {
        if let Some(raising) = &mut self.process_mut(process).raising {
            raising.step = step;
        }
    }

    /// Whether somebody is at the raise that the mark speaks of.
    fn is_being_raised(&self) -> bool {
        let Mark::Raising { nonce, stamp } = self.redis.mark else { return false };
        let is_at_it = |raising: Raising| raising.nonce == nonce && raising.stamp == stamp;
        stamp == self.redis.stamp && self.processes.iter().any(|is| is.raising.is_some_and(is_at_it))
    }
}
