//! What is repeated of a denial, and when it is forgotten.

use super::*;
use crate::{
    domain::{ApiName, Secret, TokenKey, UserId, Version},
    gate::fixture::{decision, policy, token},
};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// So many seconds after an hour past the epoch.
fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros((3_600 + seconds) * 1_000_000)
}

/// A clock that stands still.
struct Stands {
    time_of_day: Timestamp,
    steady: Timestamp,
}

impl Clock for Stands {
    fn now(&self) -> Timestamp {
        self.time_of_day
    }

    fn steady(&self) -> Timestamp {
        self.steady
    }
}

fn departed(denials: &Denials, now: Timestamp, session_changes: u64) -> Departure {
    denials.departure(&Stands { time_of_day: now, steady: now }, session_changes)
}

fn denials() -> Denials {
    Denials::new(DenialOptions::default())
}

/// Remembers a denial at second 0.
fn deny(denials: &Denials, policy: &Policy, states: &[(u32, u64, u64)]) {
    denials.remember(&token(2), policy, departed(denials, at(0), 0), &decision(policy, states));
}

fn recall(denials: &Denials, policy: &Policy, now: Timestamp) -> Option<Decision> {
    denials.recall(&token(2), policy, departed(denials, now, 0))
}

#[test]
fn each_window_is_released_in_its_own_time_and_the_rest_keep_their_order() {
    let (denials, ping) = (denials(), policy("ping", &[(2, 60), (1, 5), (9, 600), (3, 20)]));
    deny(&denials, &ping, &[(0, 55, 55), (0, 4, 4), (7, 100, 0), (0, 11, 11)]);
    for (second, states) in [
        (0, [(0, 55, 55), (0, 4, 4), (7, 100, 0), (0, 11, 11)]),
        (3, [(0, 52, 52), (0, 1, 1), (7, 97, 0), (0, 8, 8)]),
        (4, [(0, 51, 51), (1, 0, 0), (7, 96, 0), (0, 7, 7)]),
        (11, [(0, 44, 44), (1, 0, 0), (7, 89, 0), (1, 0, 0)]),
        (54, [(0, 1, 1), (1, 0, 0), (7, 46, 0), (1, 0, 0)]),
    ] {
        let mut expected = decision(&ping, &states);
        (expected.at, expected.repeated) = (expected.at + secs(second), true);
        assert_eq!(recall(&denials, &ping, at(second)), Some(expected), "second {second}");
    }
    assert_eq!(recall(&denials, &ping, at(55)), None);
}

#[test]
fn a_released_window_has_room_for_the_call() {
    let (denials, five) = (denials(), policy("five", &[(5, 60), (9, 600)]).with_cost(3).unwrap());
    deny(&denials, &five, &[(2, 5, 10), (0, 100, 50)]);
    let remaining = |second| recall(&denials, &five, at(second)).unwrap().windows[0].remaining;
    assert_eq!((remaining(9), remaining(10)), (2, 3));
}

#[test]
fn a_denial_is_repeated_until_its_last_release_or_its_end_and_no_longer() {
    for (wait, last) in [(5, 5), (59, 59), (60, 60), (61, 60), (3_000, 60)] {
        let (denials, ping) = (denials(), policy("ping", &[(1, 3_600)]));
        deny(&denials, &ping, &[(0, wait, wait)]);
        let end = at(last);
        let before = Timestamp::from_micros(end.as_micros() - 1);
        assert!(recall(&denials, &ping, before).is_some(), "a wait of {wait} s");
        assert_eq!(recall(&denials, &ping, end), None, "a wait of {wait} s");
    }
}

#[test]
fn a_denial_is_of_one_token_and_one_policy() {
    let (denials, ping) = (denials(), policy("ping", &[(2, 5)]));
    deny(&denials, &ping, &[(0, 5, 5)]);
    let orders = ApiName::new("orders").unwrap();
    let other_api = Policy::new(ping.name().clone(), orders, ping.windows().to_vec()).unwrap();
    for other in [
        policy("ping.x", &[(2, 5)]),
        policy("ping", &[(1, 5)]),
        policy("ping", &[(2, 6)]),
        policy("ping", &[(2, 5), (9, 9)]),
        ping.clone().with_cost(2).unwrap(),
        other_api,
    ] {
        deny(&denials, &ping, &[(0, 5, 5)]);
        assert_eq!(recall(&denials, &other, at(1)), None, "{other:?}");
    }
    let other_secret =
        TokenKey::from_bytes([1; 32]).issue(token(2).user(), token(2).version(), Secret::from_bytes([3; 32]));
    let other_user = TokenKey::from_bytes([1; 32]).issue(
        UserId::new(8).unwrap(),
        Version::new(2),
        Secret::from_bytes([2; 32]),
    );
    for other in [token(1), other_secret, other_user] {
        deny(&denials, &ping, &[(0, 5, 5)]);
        assert_eq!(denials.recall(&other, &ping, departed(&denials, at(1), 0)), None, "{other:?}");
    }
    assert!(recall(&denials, &policy("ping", &[(2, 5)]), at(1)).is_some(), "an equal policy is the same");
}

#[test]
fn a_changed_policy_ends_the_denial_under_the_former_one() {
    let (denials, one, two) = (denials(), policy("ping", &[(1, 5)]), policy("ping", &[(2, 5)]));
    deny(&denials, &one, &[(0, 5, 5)]);
    assert_eq!(recall(&denials, &two, at(1)), None);
    // The call under the other policy may have been admitted, so what was said before is no longer true.
    assert_eq!(recall(&denials, &one, at(1)), None);
}

#[test]
fn costs_do_not_push_out_each_other() {
    let (denials, one) = (denials(), policy("ping", &[(2, 5)]));
    let two = one.clone().with_cost(2).unwrap();
    deny(&denials, &one, &[(0, 5, 5)]);
    deny(&denials, &two, &[(0, 4, 4)]);
    assert_eq!(recall(&denials, &one, at(1)).map(|again| again.retry_after()), Some(secs(4)));
    assert_eq!(recall(&denials, &two, at(1)).map(|again| again.retry_after()), Some(secs(3)));
}

#[test]
fn a_clock_that_was_set_forgets_it_for_good() {
    let ping = policy("ping", &[(1, 5)]);
    for (time_of_day, holds) in
        [(1_000, true), (1_150, true), (850, true), (1_300, false), (700, false), (0, false)]
    {
        let denials = denials();
        deny(&denials, &ping, &[(0, 5, 5)]);
        let time_of_day = at(0) + Duration::from_millis(time_of_day);
        let now = Stands { time_of_day, steady: at(0) + secs(1) };
        let again = denials.recall(&token(2), &ping, denials.departure(&now, 0));
        assert_eq!(
            again.map(|again| again.retry_after()),
            holds.then(|| secs(5).saturating_sub(time_of_day.since(at(0)))),
            "{time_of_day:?}"
        );
        assert_eq!(recall(&denials, &ping, at(1)).is_some(), holds);
    }
}

#[test]
fn a_clearing_forgets_all_and_what_was_under_way_too() {
    let (denials, ping) = (denials(), policy("ping", &[(1, 5)]));
    deny(&denials, &ping, &[(0, 5, 5)]);
    denials.clear();
    assert!(denials.known.as_ref().unwrap().is_empty());
    assert_eq!(recall(&denials, &ping, at(1)), None);
    let under_way = departed(&denials, at(0), 0);
    denials.clear();
    denials.remember(&token(2), &ping, under_way, &decision(&ping, &[(0, 5, 5)]));
    assert_eq!(recall(&denials, &ping, at(1)), None);
    deny(&denials, &ping, &[(0, 5, 5)]);
    assert!(recall(&denials, &ping, at(1)).is_some());
}

#[test]
fn a_change_of_sessions_ends_what_was_said_before_and_what_was_under_way() {
    let (denials, ping) = (denials(), policy("ping", &[(1, 5)]));
    deny(&denials, &ping, &[(0, 5, 5)]);
    let after = departed(&denials, at(1), 1);
    assert_eq!(denials.recall(&token(2), &ping, after), None);
    denials.remember(&token(2), &ping, departed(&denials, at(0), 0), &decision(&ping, &[(0, 5, 5)]));
    assert_eq!(denials.recall(&token(2), &ping, after), None);
}

#[test]
fn a_newer_denial_takes_the_place_of_an_older_one() {
    let (denials, ping) = (denials(), policy("ping", &[(1, 5)]));
    deny(&denials, &ping, &[(0, 5, 5)]);
    denials.remember(&token(2), &ping, departed(&denials, at(5), 0), &decision(&ping, &[(0, 3, 3)]));
    assert_eq!(recall(&denials, &ping, at(7)).map(|again| again.retry_after()), Some(secs(1)));
}

#[test]
fn no_more_is_kept_than_was_chosen() {
    for entries in [1, 100, 4_096] {
        let (denials, ping) =
            (Denials::new(DenialOptions { entries, ttl: secs(60) }), policy("ping", &[(1, 5)]));
        for version in 0..20_000 {
            let departure = departed(&denials, at(0), 0);
            denials.remember(&token(version), &ping, departure, &decision(&ping, &[(0, 5, 5)]));
        }
        let kept = denials.known.as_ref().unwrap().len();
        // The bound is divided among locks, and rounded up in each.
        assert!((entries..entries + entries / 8 + 1).contains(&kept), "{kept} of {entries}");
    }
}

#[test]
fn a_bound_of_nothing_switches_it_off() {
    let (denials, ping) =
        (Denials::new(DenialOptions { entries: 0, ttl: secs(60) }), policy("ping", &[(1, 5)]));
    deny(&denials, &ping, &[(0, 5, 5)]);
    denials.clear();
    assert_eq!(recall(&denials, &ping, at(0)), None);
}
