//! Totals that the live counts have yet to be raised to.

use std::collections::HashMap;

use crate::domain::{ApiName, Tally, UserId};

/// How many totals are remembered while the live tier is away. Where there are more, all of the ledger is raised.
pub(super) const MOST_OWED: usize = 10_000;

type Totals = HashMap<(ApiName, UserId), u64>;

/// What epochs left, the latest total of each user.
#[derive(Debug, Default)]
pub(super) struct Owed {
    /// The live counts have not heard of all of it: they are behind these without having lost anything.
    unheard: Totals,
    /// They have, so if they are behind one of these, they have lost something.
    heard: Totals,
}

impl Owed {
    pub(super) fn add(&mut self, totals: &[Tally], has_unheard: bool) {
        for Tally { api, user, calls } in totals {
            let key = (api.clone(), *user);
            let is_unheard = has_unheard || self.unheard.contains_key(&key);
            if is_unheard {
                self.heard.remove(&key);
            }
            let among = if is_unheard { &mut self.unheard } else { &mut self.heard };
            let latest = among.entry(key).or_default();
            *latest = (*latest).max(*calls);
        }
    }

    pub(super) fn unheard(&self) -> Vec<Tally> {
        tallies(&self.unheard)
    }

    pub(super) fn heard(&self) -> Vec<Tally> {
        tallies(&self.heard)
    }

    pub(super) fn has_unheard(&self) -> bool {
        !self.unheard.is_empty()
    }

    pub(super) fn has(&self, api: &ApiName, user: UserId) -> bool {
        let key = (api.clone(), user);
        self.unheard.contains_key(&key) || self.heard.contains_key(&key)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.unheard.is_empty() && self.heard.is_empty()
    }

    pub(super) fn is_too_much(&self) -> bool {
        self.unheard.len() + self.heard.len() > MOST_OWED
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn tallies(totals: &Totals) -> Vec<Tally> {
    totals.iter().map(|((api, user), calls)| Tally { api: api.clone(), user: *user, calls: *calls }).collect()
}
