//! Totals that fit the calls, and totals that do not.

use super::super::is_counted;
use super::super::{
    Promise,
    fixture::{assert_clean, history},
};
use crate::history::{Api, History, Op, Place};

/// Two acknowledged calls and one of unknown outcome.
fn three_calls() -> History {
    let mut history = history();
    history.call((0, 1), 0, 1, 200);
    history.call((2_000, 2_001), 0, 1, 200);
    history.call((4_000, 4_001), 0, 1, 503);
    history.call((4_010, 4_011), 0, 1, 429);
    history.fault(crate::history::FaultKind::Paused(crate::history::Engine::Redis), (3_990, 4_050));
    history.counted()
}

fn with(ledger: u64, live: u64) -> History {
    let mut history = three_calls();
    history.end.ledger.insert((Api::Closed, 101), ledger);
    history.end.live.insert((Api::Closed, 101), live);
    history.end.boards = vec![vec![Place { id: 101, calls: live }]; 2];
    history
}

#[test]
fn totals_lie_between_what_was_acknowledged_and_what_was_sent() {
    for (ledger, live, broken) in
        [(2, 2, 0), (3, 3, 0), (2, 3, 0), (1, 2, 1), (2, 1, 1), (4, 3, 1), (3, 4, 1)]
    {
        assert_eq!(with(ledger, live).broken(Promise::P3), broken, "ledger {ledger}, live {live}");
    }
}

#[test]
fn a_policy_that_goes_on_may_deny_what_redis_has_counted_and_only_after_its_deadline() {
    let with = |api, lasts: u64| {
        let mut history = three_calls();
        history.at((9_000, 9_000 + lasts), 0, Op::Call(api), 1, 401);
        history.end.live.insert((api, 101), 1);
        history.broken(Promise::P3)
    };
    for api in [Api::Open, Api::Local] {
        assert_eq!((with(api, 100), with(api, 99)), (0, 1), "{api:?}");
    }
    assert_eq!(with(Api::Wide, 100), 1);
}

#[test]
fn nobody_is_counted_who_did_not_call() {
    let mut history = assert_clean_and_back(three_calls());
    history.end.ledger.insert((Api::Open, 101), 1);
    history.end.live.insert((Api::Open, 999), 1);
    assert_eq!(history.broken(Promise::P3), 2);
}

fn assert_clean_and_back(history: History) -> History {
    assert_clean(&history);
    history
}

#[test]
fn boards_and_callers_of_the_end_are_those_of_the_live_totals() {
    let mut history = three_calls();
    history.end.boards[1][0].calls += 1;
    assert_eq!(history.broken(Promise::P3), 1);
    history.end.boards[1].clear();
    assert_eq!(history.broken(Promise::P3), 1);
    let mut history = three_calls();
    history.end.counts[0] = 3;
    assert_eq!(history.broken(Promise::P3), 1);
    history.end.counts[0] = 0;
    assert_eq!(history.broken(Promise::P3), 1);
}

#[test]
fn totals_are_complete_within_a_second() {
    let mut history = three_calls();
    history.end.settled_after = 1_000_000;
    assert_clean(&history);
    history.end.settled_after = 1_000_001;
    assert_eq!(history.broken(Promise::P3), 1);
}

#[test]
fn readings_that_fit_need_not_be_repeated() {
    for (ledger, fits) in [(1, false), (2, true), (3, true), (4, false)] {
        let mut history = with(ledger, 2);
        history.end.settled_after = 9_000_000;
        assert_eq!(is_counted(&history), fits);
    }
}
