//! What goes wrong: answers are lost and scripts come late, processes die, Redis forgets.

use super::{
    Action, Delivery, Rule, Sessions, State,
    change::Step,
    reader::Reader,
    redis::{Redis, Script},
};

/// Nonces of one lease: that of the script as it is sent first, and that of its repeat.
const NONCES: u8 = 2;

impl State {
    pub(super) fn fault_actions(&self, actions: &mut Vec<Action>) {
        if self.redis.entry.is_some() {
            actions.push(Action::Evict);
        }
        if self.redis.lease.is_some() {
            actions.push(Action::Lapse);
        }
        if self.clock < self.left.ticks {
            actions.push(Action::Tick);
        }
        if self.left.losses > 0 {
            actions.push(if self.snapshot.is_none() { Action::Snapshot } else { Action::FallBack });
            actions.push(Action::Empty);
        }
        if self.left.crashes > 0 {
            // Before that, to die is to stand still, which every run may.
            let readers = (0..).zip(&self.readers).filter(|(_, is)| matches!(is, Reader::Filling { .. }));
            actions.extend(readers.map(|(reader, _)| Action::EndReader(reader)));
            let changes =
                (0..).zip(&self.changes).filter(|(_, is)| matches!(is.step, Step::Publishing { .. }));
            actions.extend(changes.map(|(change, _)| Action::EndChange(change)));
        }
        let mut last = None;
        // Two that are alike are one: it does not matter which arrives.
        let different = self.late.iter().filter(|script| last.replace(**script) != Some(**script));
        actions.extend(different.map(|script| Action::ExecuteLate(*script)));
    }
}

/// For the look-up of a reader.
pub(super) fn reader_nonce(reader: u8) -> u8 {
    reader * NONCES
}

impl Sessions {
    /// Sends a script. Answers the nonce that it is executed with now, or `None` where its sender waits no more.
    pub(super) fn send(
        &self,
        state: &mut State,
        delivery: Delivery,
        nonce: u8,
        script: impl Fn(u8) -> Script,
    ) -> Option<u8> {
        if delivery == Delivery::Heard {
            return Some(nonce);
        }
        let script = script(nonce);
        state.left.lost_answers -= 1;
        state.leave(script);
        let renews = match script {
            Script::LookUp { .. } => self.keeps(Rule::LookUpWithNewNonce),
            Script::Change { .. } => self.keeps(Rule::AnnounceWithNewNonce),
            // It shows the nonce of another one.
            Script::Publish { .. } => false,
        };
        (delivery == Delivery::Repeated).then_some(nonce + u8::from(renews))
    }

    /// For the announcement of a change.
    pub(super) fn change_nonce(&self, change: u8) -> u8 {
        (self.size.readers + 2 * change) * NONCES
    }

    /// For the look-up of a change that could not be announced.
    pub(super) fn second_nonce(&self, change: u8) -> u8 {
        self.change_nonce(change) + NONCES
    }

    pub(super) fn execute_late(&self, state: &mut State, script: Script) {
        if let Some(at) = state.late.iter().position(|other| *other == script) {
            state.late.remove(at);
        }
        let terms = self.terms(state);
        state.redis.execute(script, terms);
    }
}

impl State {
    /// What may become of a script that is sent now.
    pub(super) fn deliveries(&self) -> impl Iterator<Item = Delivery> + use<> {
        let may_be_lost = self.left.lost_answers > 0;
        let lost = [Delivery::Repeated, Delivery::GivenUp].into_iter().filter(move |_| may_be_lost);
        std::iter::once(Delivery::Heard).chain(lost)
    }

    /// A reader's process dies, and its fill may still arrive.
    pub(super) fn end_reader(&mut self, reader: u8) {
        if let Reader::Filling { set, ticket } = *self.reader_mut(reader) {
            self.left.crashes -= 1;
            self.leave(Script::Publish { set, ticket });
            *self.reader_mut(reader) = Reader::Ended;
        }
    }

    /// The process of a change dies, and its publish may still arrive.
    pub(super) fn end_change(&mut self, change: u8) {
        if let Step::Publishing { set, ticket, .. } = self.change_mut(change).step {
            self.left.crashes -= 1;
            self.leave(Script::Publish { set, ticket });
            self.change_mut(change).step = Step::Ended;
        }
    }

    /// Redis restarts without what it wrote since the snapshot.
    pub(super) fn fall_back(&mut self) {
        self.left.losses -= 1;
        let stamp = self.redis.stamp + 1;
        if let Some(snapshot) = self.snapshot.take() {
            self.redis = Redis { stamp, ..snapshot };
        }
    }

    /// Redis loses everything and does not restart.
    pub(super) fn empty(&mut self) {
        self.left.losses -= 1;
        self.redis = Redis::empty(self.redis.stamp);
    }
}
