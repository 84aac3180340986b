//! Who holds a token and asks whether it is live: look up, load, fill.

use super::{
    Action, Delivery, Rule, Sessions, State,
    faults::reader_nonce,
    redis::{Script, Ticket},
    state::Wrong,
    store::{Check, Set, Version},
};

/// How far a reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Reader {
    /// It has not begun.
    Idle,
    /// It will ask the durable tier.
    Loading { token: Version, must_be_dead: bool, ticket: Option<Ticket> },
    /// It will cache what it loaded.
    Filling { set: Set, ticket: Ticket },
    /// It is answered, or its process died.
    Ended,
}

impl Sessions {
    pub(super) fn reader_actions(&self, state: &State, actions: &mut Vec<Action>) {
        let mut before = Reader::Ended;
        for (reader, &is) in (0..).zip(&state.readers) {
            match is {
                // Readers are alike: they begin in order.
                Reader::Idle if before == Reader::Idle => {}
                Reader::Idle => {
                    for delivery in state.deliveries() {
                        let read = |token| Action::Read { reader, token, delivery };
                        actions.extend(state.opened.iter().map(read));
                    }
                }
                Reader::Loading { .. } => {
                    actions.push(Action::Load(reader));
                    if !self.keeps(Rule::OwnLoad) {
                        let others =
                            (0..).zip(&state.readers).filter(|(_, is)| matches!(is, Reader::Filling { .. }));
                        actions.extend(others.map(|(of, _)| Action::JoinLoad { reader, of }));
                    }
                }
                Reader::Filling { .. } => {
                    actions.extend(state.deliveries().map(|delivery| Action::Fill { reader, delivery }));
                }
                Reader::Ended => {}
            }
            before = is;
        }
    }

    pub(super) fn look_up(&self, state: &mut State, reader: u8, token: Version, delivery: Delivery) {
        let must_be_dead = state.must_be_dead(token);
        let ticket = match self.send_look_up(state, delivery, reader_nonce(reader)) {
            Some((Some(set), ticket)) => match set.check(token) {
                Check::Newer if self.keeps(Rule::NewerAsksStore) => Some(ticket),
                check => return state.answer(reader, token, must_be_dead, check),
            },
            // Without a lease it caches nothing.
            Some((None, ticket)) => ticket.lease.map(|_| ticket),
            None => None,
        };
        *state.reader_mut(reader) = Reader::Loading { token, must_be_dead, ticket };
    }

    pub(super) fn fill(&self, state: &mut State, reader: u8, delivery: Delivery) {
        if let Reader::Filling { set, ticket } = *state.reader_mut(reader) {
            self.send_publish(state, set, ticket, delivery);
            *state.reader_mut(reader) = Reader::Ended;
        }
    }

    /// What it hits and the ticket; `None` where its sender waits no more.
    pub(super) fn send_look_up(
        &self,
        state: &mut State,
        delivery: Delivery,
        nonce: u8,
    ) -> Option<(Option<Set>, Ticket)> {
        let nonce = self.send(state, delivery, nonce, |nonce| Script::LookUp { nonce })?;
        let terms = self.terms(state);
        Some(state.redis.look_up(nonce, terms))
    }

    /// Whether it is confirmed.
    pub(super) fn send_publish(
        &self,
        state: &mut State,
        set: Set,
        ticket: Ticket,
        delivery: Delivery,
    ) -> bool {
        let script = Script::Publish { set, ticket };
        let is_heard = self.send(state, delivery, 0, |_| script).is_some();
        if is_heard {
            let terms = self.terms(state);
            state.redis.publish(set, ticket, terms);
        }
        is_heard
    }
}

impl State {
    pub(super) fn reader_mut(&mut self, reader: u8) -> &mut Reader {
        &mut self.readers[usize::from(reader)]
    }

    pub(super) fn load(&mut self, reader: u8) {
        let set = self.store;
        self.take_loaded(reader, set);
    }

    /// Takes what another reader, of the same process, has loaded for itself.
    pub(super) fn join_load(&mut self, reader: u8, of: u8) {
        if let Reader::Filling { set, .. } = *self.reader_mut(of) {
            self.take_loaded(reader, set);
        }
    }

    /// The answer stands here; with a ticket, it is given after the fill.
    fn take_loaded(&mut self, reader: u8, set: Set) {
        let Reader::Loading { token, must_be_dead, ticket } = *self.reader_mut(reader) else { return };
        self.answer(reader, token, must_be_dead, set.check(token));
        if let Some(ticket) = ticket {
            *self.reader_mut(reader) = Reader::Filling { set, ticket };
        }
    }

    fn answer(&mut self, reader: u8, token: Version, must_be_dead: bool, check: Check) {
        let is_live = check == Check::Live;
        if is_live && must_be_dead {
            self.wrong = Some(Wrong::LetIn);
        }
        if !is_live && self.store.sessions.contains(token) {
            self.wrong = Some(Wrong::TurnedAway);
        }
        *self.reader_mut(reader) = Reader::Ended;
    }
}
