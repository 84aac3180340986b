//! Sums of calls by API, hour and user, and of their outcomes by minute.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use foldhash::fast::RandomState;

use crate::domain::{
    Activity, ApiName, CallOutcome, Caller, EpochSums, Outcomes, Step, Tally, Timestamp, UserId,
};

type ByUser = HashMap<UserId, u64, RandomState>;

/// What has been counted. APIs come from the policies, so they are few, and so are hours.
#[derive(Debug, Default)]
pub(super) struct Sums {
    hours: Vec<Hour>,
    /// Of former epochs, which the ledger has without what became of their calls.
    untold: Vec<Arc<Vec<Hour>>>,
    callers: usize,
    limited: usize,
}

/// What the ledger is told of an epoch.
#[derive(Debug)]
pub(super) struct Sealed {
    hours: Arc<Vec<Hour>>,
    /// The hours of which it is told what became of calls.
    told: Vec<Arc<Vec<Hour>>>,
}

/// Of one API in one hour.
#[derive(Debug)]
struct Hour {
    api: ApiName,
    start: Timestamp,
    /// The last one is nearly always the one that is asked for.
    minutes: Vec<(Timestamp, Outcomes)>,
    callers: ByUser,
    limited: ByUser,
}

impl Sums {
    /// Counts one admitted call.
    pub(super) fn count(&mut self, api: &ApiName, user: UserId, now: Timestamp) {
        let hour = self.hour(api, now);
        *hour.outcomes(now) += CallOutcome::Admitted;
        let is_new = add(&mut hour.callers, user);
        self.callers += usize::from(is_new);
    }

    /// Notes what became of a call that counts for nobody; `limit` is how many of the limited are told apart.
    pub(super) fn note(&mut self, api: &ApiName, outcome: CallOutcome, now: Timestamp, limit: usize) {
        let has_room = self.limited < limit;
        let hour = self.hour(api, now);
        *hour.outcomes(now) += outcome;
        if let CallOutcome::Limited { user: Some(user), .. } = outcome
            && (has_room || hour.limited.contains_key(&user))
        {
            let is_new = add(&mut hour.limited, user);
            self.limited += usize::from(is_new);
        }
    }

    fn hour(&mut self, api: &ApiName, now: Timestamp) -> &mut Hour {
        let start = Step::Hour.start(now);
        let known = self.hours.iter().rposition(|hour| hour.start == start && hour.api == *api);
        let at = known.unwrap_or_else(|| {
            self.hours.push(Hour {
                api: api.clone(),
                start,
                minutes: Vec::new(),
                callers: HashMap::default(),
                limited: HashMap::default(),
            });
            self.hours.len() - 1
        });
        &mut self.hours[at]
    }

    /// How many users have been counted, each API and hour by itself. Those who were limited have a bound of their own, and fill nobody's place.
    pub(super) fn callers(&self) -> usize {
        self.callers
    }

    pub(super) fn is_empty(&self) -> bool {
        self.hours.is_empty() && self.untold.is_empty()
    }

    /// All of it for the ledger; without `tells`, what became of the calls is left to the next epoch.
    pub(super) fn seal(&mut self, tells: bool, next: Option<&mut Self>) -> Sealed {
        let Self { hours, untold, .. } = mem::take(self);
        let (hours, mut told) = (Arc::new(hours), untold);
        told.push(Arc::clone(&hours));
        if let (false, Some(next)) = (tells, next) {
            next.untold.append(&mut told);
        }
        Sealed { hours, told }
    }
}

impl Sealed {
    /// All of it as a list.
    pub(super) fn listed(&self) -> EpochSums {
        let activity = self.told.iter().flat_map(|hours| hours.iter()).map(Hour::activity).collect();
        EpochSums { tallies: tallies(&self.hours), activity }
    }
}

impl Hour {
    fn outcomes(&mut self, now: Timestamp) -> &mut Outcomes {
        let minute = Step::Minute.start(now);
        let known = self.minutes.iter().rposition(|(start, _)| *start == minute);
        let at = known.unwrap_or_else(|| {
            self.minutes.push((minute, Outcomes::default()));
            self.minutes.len() - 1
        });
        &mut self.minutes[at].1
    }

    fn activity(&self) -> Activity {
        let callers = |sums: &ByUser| sums.iter().map(|(&user, &calls)| Caller { user, calls }).collect();
        Activity {
            api: self.api.clone(),
            hour: self.start,
            minutes: self.minutes.clone(),
            callers: callers(&self.callers),
            limited: callers(&self.limited),
        }
    }
}

/// Whether the user is new.
fn add(to: &mut ByUser, user: UserId) -> bool {
    let calls = to.entry(user).or_insert(0);
    *calls += 1;
    *calls == 1
}

/// A sum for each API and user, whatever the hour. Nearly always there is one hour of each API.
fn tallies(hours: &[Hour]) -> Vec<Tally> {
    let mut tallies = Vec::new();
    for (at, Hour { api, callers, .. }) in hours.iter().enumerate() {
        let of_api = |hour: &&Hour| hour.api == *api;
        if hours[..at].iter().any(|before| of_api(&before)) {
            continue;
        }
        let tally = |(&user, &calls): (&UserId, &u64)| Tally { api: api.clone(), user, calls };
        let later: Vec<_> = hours[at + 1..].iter().filter(of_api).collect();
        if later.is_empty() {
            tallies.extend(callers.iter().map(tally));
        } else {
            let mut sums = callers.clone();
            for (user, calls) in later.iter().flat_map(|hour| &hour.callers) {
                *sums.entry(*user).or_insert(0) += calls;
            }
            tallies.extend(sums.iter().map(tally));
        }
    }
    tallies
}

/// What is locked is whole between any two steps, so a thread that panicked has left nothing behind.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: u64) -> UserId {
        UserId::new(id).unwrap()
    }

    fn minute(number: u64) -> Timestamp {
        Timestamp::from_micros(number * 60_000_000)
    }

    #[test]
    fn a_user_of_two_hours_has_one_sum() {
        let (mut sums, ping, orders) =
            (Sums::default(), ApiName::new("ping").unwrap(), ApiName::new("orders").unwrap());
        for (api, id, at) in
            [(&ping, 1, 59), (&ping, 1, 60), (&ping, 2, 60), (&orders, 1, 60), (&ping, 1, 61)]
        {
            sums.count(api, user(id), minute(at));
        }
        let EpochSums { mut tallies, activity } = sums.seal(true, None).listed();
        tallies.sort_by_key(|tally| (tally.api.clone(), tally.user));
        let tally = |api: &ApiName, id, calls| Tally { api: api.clone(), user: user(id), calls };
        assert_eq!(tallies, [tally(&orders, 1, 1), tally(&ping, 1, 3), tally(&ping, 2, 1)]);
        let told = |hour: &Activity| (hour.api.clone(), hour.hour, hour.minutes.len());
        let expected = [(ping.clone(), minute(0), 1), (ping, minute(60), 2), (orders, minute(60), 1)];
        assert_eq!(activity.iter().map(told).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_became_of_calls_can_be_told_with_a_later_epoch() {
        let (mut first, mut second, ping) = (Sums::default(), Sums::default(), ApiName::new("ping").unwrap());
        first.count(&ping, user(1), minute(0));
        let sums = first.seal(false, Some(&mut second)).listed();
        assert_eq!(sums.tallies, [Tally { api: ping.clone(), user: user(1), calls: 1 }]);
        assert_eq!(sums.activity, []);
        assert!(!second.is_empty(), "it is still to be told");
        second.count(&ping, user(2), minute(1));
        let sums = second.seal(true, None).listed();
        assert_eq!(sums.tallies, [Tally { api: ping, user: user(2), calls: 1 }]);
        let callers = |hour: &Activity| hour.callers.iter().map(|caller| caller.user).collect::<Vec<_>>();
        assert_eq!(sums.activity.iter().map(callers).collect::<Vec<_>>(), [[user(1)], [user(2)]]);
    }

    #[test]
    fn who_is_limited_is_told_apart_up_to_a_bound_and_counted_beyond_it() {
        let (mut sums, ping) = (Sums::default(), ApiName::new("ping").unwrap());
        for id in [1, 2, 3, 1] {
            let outcome = CallOutcome::Limited { user: Some(user(id)), repeated: id == 1 };
            sums.note(&ping, outcome, minute(0), 2);
        }
        sums.note(&ping, CallOutcome::Refused, minute(0), 2);
        assert_eq!(sums.callers(), 0, "nobody who calls goes short of a place");
        let EpochSums { tallies, activity } = sums.seal(true, None).listed();
        assert_eq!(tallies, []);
        let outcomes = Outcomes { admitted: 0, limited: 4, repeated: 2, refused: 1 };
        assert_eq!(activity[0].minutes, [(minute(0), outcomes)]);
        let mut limited = activity[0].limited.clone();
        limited.sort_by_key(|caller| caller.user);
        assert_eq!(limited, [Caller { user: user(1), calls: 2 }, Caller { user: user(2), calls: 1 }]);
    }
}
