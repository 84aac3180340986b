//! What is checked at every moment of every run.

use std::fmt;

use stateright::Property;

use super::{
    Sessions, State,
    change::Step,
    reader::Reader,
    state::Wrong,
    store::{Check, Version},
};

pub(super) const DEAD_STAYS_DEAD: &str = "a session that an acknowledged change ended is dead";
pub(super) const LIVE_IS_LIVE: &str = "a session that nothing ended is live";
pub(super) const CHANGES_LAST: &str = "an acknowledged change is durable";

pub(super) fn properties() -> Vec<Property<Sessions>> {
    vec![
        Property::always(DEAD_STAYS_DEAD, |model: &Sessions, state: &State| {
            state.wrong != Some(Wrong::LetIn)
                && !state.ended().any(|session| state.look_up_says(model, session) == Some(Check::Live))
        }),
        Property::always(LIVE_IS_LIVE, |model: &Sessions, state: &State| {
            let mut live = state.opened.iter().filter(|session| state.store.sessions.contains(*session));
            state.wrong != Some(Wrong::TurnedAway)
                && !live.any(|session| state.look_up_says(model, session) == Some(Check::Dead))
        }),
        Property::always(CHANGES_LAST, |_, state: &State| {
            let is_ended = |session: Version| state.dead_from[usize::from(session)].is_some();
            !(1..=state.store.version)
                .any(|session| is_ended(session) && state.store.sessions.contains(session))
        }),
        Property::sometimes("everybody is answered", |_, state: &State| {
            state.readers.iter().all(|reader| *reader == Reader::Ended)
                && state.changes.iter().all(|change| change.step == Step::Ended)
                && state.redis.entry.is_some_and(|entry| entry.set == state.store)
        }),
    ]
}

impl State {
    fn ended(&self) -> impl Iterator<Item = Version> {
        (1..=self.store.version).filter(|session| self.must_be_dead(*session))
    }

    /// What a look-up would say now. A miss is a question for the durable tier, and that is right.
    fn look_up_says(&self, model: &Sessions, session: Version) -> Option<Check> {
        self.redis.hit(self.clock, model.broken).map(|set| set.check(session))
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sessions = |set: super::store::Set| set.sessions.iter().collect::<Vec<_>>();
        write!(f, "durable: version {} with sessions {:?}; ", self.store.version, sessions(self.store))?;
        match self.redis.entry {
            Some(entry) => {
                write!(f, "cached: version {} with sessions {:?}", entry.set.version, sessions(entry.set))
            }
            None => f.write_str("nothing cached"),
        }
    }
}
