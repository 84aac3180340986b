//! Sessions that may, and that must not, be refused or admitted.

use super::super::fixture::{assert_clean, history};
use super::super::{Promise, check};
use crate::history::{Answer, Api, FaultKind, History, LinkFault, Op, Unconfirmed};

/// An account with one session: version 1, acknowledged at 20 ms.
fn logged_in() -> History {
    let mut history = history();
    history.terms.windows[0].clear();
    history.at((0, 10), 0, Op::Signup, 0, 200);
    history.at((10, 20), 0, Op::Login, 1, 200);
    history
}

#[test]
fn a_session_lives_until_a_later_one_or_its_logout_is_asked_for() {
    let mut history = logged_in();
    history.call((30, 31), 0, 1, 200);
    // Each may see the state before or after the login that is in flight.
    history.call((45, 60), 0, 1, 200);
    history.call((46, 51), 0, 1, 401);
    history.at((50, 100), 0, Op::Login, 2, 200);
    history.call((110, 111), 0, 1, 401);
    history.call((112, 113), 0, 2, 200);
    history.at((120, 130), 0, Op::Logout, 2, 204);
    history.at((125, 131), 0, Op::Logout, 2, 401);
    history.call((140, 141), 0, 2, 401);
    let report = assert_clean(&history.counted());
    assert_eq!((report.refused_sessions, report.probes), (4, 0));
}

#[test]
fn an_acknowledged_account_that_cannot_log_in_is_lost() {
    let mut history = logged_in();
    history.at((30, 40), 0, Op::Login, 0, 401);
    let report = check(&history);
    assert_eq!((report.lost_signups, report.times(Promise::P1)), (1, 1));

    // Of one that was not acknowledged, nothing is promised.
    let mut history = super::super::fixture::history();
    history.at((0, 10), 0, Op::Signup, 0, 503);
    history.at((30, 40), 0, Op::Login, 0, 401);
    assert_eq!(check(&history).lost_signups, 0);
}

#[test]
fn a_session_that_nothing_ended_is_lost_when_it_is_refused() {
    for op in [Op::Call(Api::Closed), Op::Logout] {
        let mut history = logged_in();
        history.at((30, 31), 0, op, 1, 401);
        // What comes later, and what is older, excuses nothing; nor does somebody else's.
        history.at((40, 50), 0, Op::Login, 2, 200);
        history.at((12, 18), 1, Op::Login, 9, 200);
        assert_eq!(check(&history).lost_sessions, 1, "{op}");
    }
}

#[test]
fn an_unknown_outcome_excuses_a_refusal() {
    for (op, version) in [(Op::Login, 0), (Op::Logout, 1)] {
        for (answer, lost) in
            [(Answer::of(503), 0), (Answer::Lost, 0), (Answer::Silent, 0), (Answer::NotSent, 1)]
        {
            let mut history = logged_in();
            history.at((30, 40), 0, op, version, 503).answer = answer;
            history.call((50, 51), 0, 1, 401);
            assert_eq!(check(&history).lost_sessions, lost, "{op} {answer}");
        }
    }
}

#[test]
fn an_unknown_login_excuses_only_for_as_long_as_it_may_still_come_about() {
    let mut history = history();
    history.at((0, 10), 0, Op::Signup, 0, 200);
    history.at((20, 30), 0, Op::Login, 0, 503);
    history.at((2_000, 2_010), 0, Op::Login, 2, 200);
    history.call((2_020, 2_021), 0, 2, 401);
    assert_eq!(check(&history).lost_sessions, 0, "it may have come about after the second one");
    history.at((4_000, 4_010), 0, Op::Login, 3, 200);
    history.call((4_020, 4_021), 0, 3, 401);
    assert_eq!(check(&history).lost_sessions, 1);
    // It waited in a PostgreSQL that was hung for long.
    history.fault(FaultKind::Paused(crate::history::Engine::Postgres), (15, 3_500));
    assert_eq!(check(&history).lost_sessions, 0);
}

#[test]
fn a_session_that_ended_is_never_admitted_again() {
    for (op, version) in [(Op::Login, 2), (Op::Logout, 1)] {
        for code in [200, 429] {
            let mut history = logged_in();
            history.at((30, 40), 0, op, version, if op == Op::Login { 200 } else { 204 });
            history.call((39, 50), 0, 1, code);
            assert_eq!(check(&history).resurrected, 0, "it was sent before the answer");
            history.call((41, 50), 0, 1, code).process = 1;
            let report = check(&history);
            assert_eq!((report.resurrected, report.times(Promise::P2)), (1, 1), "{op} {code}");
        }
    }
}

#[test]
fn an_end_counts_only_when_it_is_acknowledged() {
    let mut history = logged_in();
    history.at((30, 40), 0, Op::Logout, 1, 503);
    history.call((50, 51), 0, 1, 200);
    history.at((60, 70), 0, Op::Login, 0, 503);
    history.call((80, 81), 0, 1, 200);
    // A login of a lower version ended nothing of ours.
    history.at((9, 90), 0, Op::Login, 0, 200);
    history.call((95, 96), 0, 1, 200);
    assert_eq!(check(&history).resurrected, 0);
}

#[test]
fn where_redis_was_not_told_an_end_is_known_a_cache_time_later() {
    let mut history = logged_in();
    history.at((30, 40), 0, Op::Logout, 1, 204);
    history.unconfirmed.push(Unconfirmed { process: 0, id: 101, at: 39_000 });
    history.call((2_000, 2_001), 0, 1, 200).process = 1;
    let report = check(&history);
    assert_eq!((report.resurrected, report.within_bound), (0, 1));
    history.call((5_041, 5_042), 0, 1, 200).process = 1;
    assert_eq!(check(&history).resurrected, 1);
    // Another process, another account, or another time: the line is of another change.
    for other in [
        Unconfirmed { process: 1, id: 101, at: 39_000 },
        Unconfirmed { process: 0, id: 102, at: 39_000 },
        Unconfirmed { process: 0, id: 101, at: 90_000 },
    ] {
        history.unconfirmed = vec![other];
        assert_eq!(check(&history).resurrected, 2, "{other:?}");
    }
}

#[test]
fn a_later_change_that_was_told_ends_the_excuse_of_one_that_was_not() {
    let mut history = logged_in();
    history.at((30, 40), 0, Op::Login, 2, 200);
    history.unconfirmed.push(Unconfirmed { process: 0, id: 101, at: 39_000 });
    history.at((100, 110), 0, Op::Login, 3, 200);
    history.call((120, 121), 0, 1, 200);
    assert_eq!(check(&history).resurrected, 1);
}

#[test]
fn a_session_that_was_refused_is_not_admitted_after_the_cache_time() {
    let mut history = logged_in();
    history.at((30, 40), 0, Op::Logout, 1, 503);
    history.call((50, 51), 0, 1, 401);
    history.call((60, 61), 0, 1, 200).process = 1;
    assert_eq!(check(&history).resurrected, 0);
    history.call((5_052, 5_053), 0, 1, 200).process = 1;
    assert_eq!(check(&history).resurrected, 1);
}

#[test]
fn a_session_expires() {
    let mut history = logged_in();
    history.terms.session_ttl = 1_000_000;
    history.terms.postgres_deadline = 100_000;
    history.call((900, 910), 0, 1, 200);
    history.call((1_000, 1_001), 0, 1, 401);
    assert_eq!(check(&history).lost_sessions + check(&history).resurrected, 0);
    history.call((800, 801), 0, 1, 401);
    assert_eq!(check(&history).lost_sessions, 1);
    // That it was refused early is held against this one, too, but only for the time that others need to learn of it.
    history.events.pop();
    history.call((1_100, 1_101), 0, 1, 200);
    assert_eq!(check(&history).resurrected, 1);
}

#[test]
fn a_remembered_denial_says_nothing_of_the_session() {
    let mut history = logged_in();
    history.terms.deny_cache = true;
    history.call((25, 26), 0, 1, 429);
    history.at((30, 40), 0, Op::Logout, 1, 204).process = 1;
    history.call((50, 51), 0, 1, 429);
    assert_eq!(check(&history).resurrected, 0);
    // The other process has denied nothing that it could repeat.
    history.call((60, 61), 0, 1, 429).process = 1;
    assert_eq!(check(&history).resurrected, 1);
    history.terms.deny_cache = false;
    assert_eq!(check(&history).resurrected, 2);
}

#[test]
fn a_session_is_not_ended_twice() {
    let mut history = logged_in();
    history.at((30, 40), 0, Op::Logout, 1, 204);
    history.at((35, 45), 0, Op::Logout, 1, 204);
    assert_eq!(check(&history).lost_sessions, 0);
    history.at((46, 50), 0, Op::Logout, 1, 204);
    assert_eq!(check(&history).lost_sessions, 1);
}

#[test]
fn a_slow_link_excuses_nothing() {
    let mut history = logged_in();
    history.fault(FaultKind::Link(crate::history::Engine::Redis, LinkFault::Slow), (25, 100));
    history.call((30, 31), 0, 1, 401);
    assert_eq!(check(&history).lost_sessions, 1);
}
