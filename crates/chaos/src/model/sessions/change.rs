//! Who changes the user's sessions: announce, commit, publish; where the first step failed, look up and load before the last.

use super::{
    Action, Delivery, Rule, Sessions, State,
    redis::{Script, Ticket},
    store::{Set, Version},
};

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Login,
    /// Of a token that is chosen when it begins.
    Logout(Option<Version>),
}

/// A login or logout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Change {
    pub(super) kind: Kind,
    pub(super) step: Step,
}

/// How far a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// It has not begun.
    Idle,
    /// It will commit; without a ticket, its announcement failed.
    Committing { ticket: Option<Ticket> },
    /// Committed, and not announced: it looks up, as a reader does.
    LookingAgain { committed: Set },
    /// The same: it loads.
    LoadingAgain { committed: Set, ticket: Ticket },
    /// It will publish a set that is no older than what it committed.
    Publishing { committed: Set, set: Set, ticket: Ticket },
    /// It is acknowledged, or its process died.
    Ended,
}

impl Sessions {
    pub(super) fn announce(&self, state: &mut State, change: u8, token: Option<Version>, delivery: Delivery) {
        let sent = self.send(state, delivery, self.change_nonce(change), |nonce| Script::Change { nonce });
        let terms = self.terms(state);
        let ticket = sent.map(|nonce| state.redis.change(nonce, terms));
        if let Some(token) = token {
            state.change_mut(change).kind = Kind::Logout(Some(token));
            if !self.keeps(Rule::AcknowledgeLast) {
                state.dead_from[usize::from(token)] = Some(state.clock);
            }
        }
        state.change_mut(change).step = Step::Committing { ticket };
    }

    pub(super) fn commit(&self, state: &mut State, change: u8) {
        let Change { kind, step: Step::Committing { ticket } } = *state.change_mut(change) else { return };
        let has_changed = match kind {
            Kind::Login => {
                state.store.open(self.size.max_per_user);
                true
            }
            Kind::Logout(token) => token.is_some_and(|token| state.store.close(token)),
        };
        let committed = state.store;
        state.change_mut(change).step = match ticket {
            _ if !has_changed && !self.keeps(Rule::PublishWhatIsFound) => {
                return self.acknowledge(state, change, committed, true);
            }
            Some(ticket) => Step::Publishing { committed, set: committed, ticket },
            None => Step::LookingAgain { committed },
        };
    }

    pub(super) fn look_again(&self, state: &mut State, change: u8, delivery: Delivery) {
        let Step::LookingAgain { committed } = state.change_mut(change).step else { return };
        match self.send_look_up(state, delivery, self.second_nonce(change)) {
            Some((None, Ticket { lease: None, .. })) if !self.keeps(Rule::PublishWithoutLease) => {
                self.acknowledge(state, change, committed, true);
            }
            Some((_, ticket)) => state.change_mut(change).step = Step::LoadingAgain { committed, ticket },
            None => self.acknowledge(state, change, committed, false),
        }
    }

    pub(super) fn publish(&self, state: &mut State, change: u8, delivery: Delivery) {
        let Step::Publishing { committed, set, ticket } = state.change_mut(change).step else { return };
        let is_confirmed = self.send_publish(state, set, ticket, delivery);
        self.acknowledge(state, change, committed, is_confirmed);
    }

    /// The client hears of its change: what is not in the set has ended, at once or after the longest life of an entry.
    fn acknowledge(&self, state: &mut State, change: u8, committed: Set, is_confirmed: bool) {
        let from = if is_confirmed { state.clock } else { state.clock + self.size.cache_ttl };
        for session in (1..=committed.version).filter(|session| !committed.sessions.contains(*session)) {
            let dead_from = &mut state.dead_from[usize::from(session)];
            *dead_from = Some(dead_from.map_or(from, |before| before.min(from)));
        }
        let is = state.change_mut(change);
        is.step = Step::Ended;
        if is.kind == Kind::Login {
            state.opened.insert(committed.version);
        }
    }
}

impl State {
    pub(super) fn change_actions(&self, actions: &mut Vec<Action>) {
        let mut before = None;
        for (change, is) in (0..).zip(&self.changes) {
            match is.step {
                // Changes of the same kind are alike: they begin in order.
                Step::Idle if before == Some(is) => {}
                Step::Idle => {
                    for delivery in self.deliveries() {
                        let announce = |token| Action::Announce { change, token, delivery };
                        match is.kind {
                            Kind::Login => actions.push(announce(None)),
                            Kind::Logout(_) => {
                                actions.extend(self.opened.iter().map(|token| announce(Some(token))));
                            }
                        }
                    }
                }
                Step::Committing { .. } => actions.push(Action::Commit(change)),
                Step::LookingAgain { .. } => {
                    actions.extend(self.deliveries().map(|delivery| Action::LookAgain { change, delivery }));
                }
                Step::LoadingAgain { .. } => actions.push(Action::LoadAgain(change)),
                Step::Publishing { .. } => {
                    actions.extend(self.deliveries().map(|delivery| Action::Publish { change, delivery }));
                }
                Step::Ended => {}
            }
            before = Some(is);
        }
    }

    pub(super) fn change_mut(&mut self, change: u8) -> &mut Change {
        &mut self.changes[usize::from(change)]
    }

    pub(super) fn load_again(&mut self, change: u8) {
        let set = self.store;
        let is = self.change_mut(change);
        if let Step::LoadingAgain { committed, ticket } = is.step {
            is.step = Step::Publishing { committed, set, ticket };
        }
    }
}
