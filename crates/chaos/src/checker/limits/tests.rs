//! Windows: two calls a second.

use super::super::{Promise, fixture::history};
use crate::history::{Api, Engine, FaultKind, History, LinkFault, Op, Stall};

fn calls(api: Api, times: &[(u64, u64)]) -> History {
    let mut history = history();
    for times in times {
        history.at(*times, 0, Op::Call(api), 1, 200);
    }
    history.counted()
}

#[test]
fn only_what_is_certain_is_over_a_limit() {
    for (times, broken) in [
        (&[(0, 1), (10, 11), (20, 21)][..], 1),
        // The last one may have been decided a second after the first.
        (&[(0, 1), (10, 11), (20, 1_000)], 0),
        (&[(0, 1), (10, 11), (20, 990)], 1),
        (&[(0, 500), (10, 11), (1_001, 1_010)], 0),
        (&[(0, 1), (10, 11), (1_002, 1_003), (1_012, 1_013)], 0),
        (&[(0, 1), (10, 11), (990, 991), (1_012, 1_013)], 1),
    ] {
        assert_eq!(calls(Api::Closed, times).broken(Promise::P4), broken, "{times:?}");
    }
}

#[test]
fn quotas_are_of_one_account_and_one_policy() {
    let mut history = calls(Api::Closed, &[(0, 1), (10, 11)]);
    history.at((20, 21), 0, Op::Call(Api::Open), 1, 200);
    history.at((20, 21), 1, Op::Call(Api::Closed), 1, 200);
    history.at((30, 31), 0, Op::Call(Api::Closed), 1, 429);
    assert_eq!(history.broken(Promise::P4), 0);
}

#[test]
fn each_loss_of_state_gives_one_more_quota() {
    let five = [(0, 1), (10, 11), (20, 21), (30, 31), (40, 41)];
    for (kind, losses, broken) in [
        (FaultKind::RedisEmptied, 1, 1),
        (FaultKind::RedisEmptied, 2, 0),
        (FaultKind::Paused(Engine::Redis), 2, 1),
        (FaultKind::ProcessKilled, 2, 1),
    ] {
        let mut history = calls(Api::Closed, &five);
        for loss in 0..losses {
            history.fault(kind, (15 + loss * 20, 16 + loss * 20));
        }
        assert_eq!(history.broken(Promise::P4), broken, "{kind}, {losses} times");
    }
}

#[test]
fn while_redis_is_away_each_policy_does_what_it_says() {
    let times: Vec<_> = (0..7).map(|call| (100 + call * 10, 101 + call * 10)).collect();
    for (api, broken) in [(Api::Open, 0), (Api::Local, 1)] {
        let mut history = calls(api, &times);
        history.fault(FaultKind::Paused(Engine::Redis), (50, 150));
        assert_eq!(history.broken(Promise::P4), broken, "{}", api.name());
        history.events.pop();
        assert_eq!(history.counted().broken(Promise::P4), 0, "a quota of Redis and one of each process");
    }
}

#[test]
fn an_engine_that_stands_still_of_itself_is_away_to_whoever_waits_for_it() {
    let times: Vec<_> = (0..7).map(|call| (100 + call * 10, 101 + call * 10)).collect();
    for (api, engine, broken) in [
        (Api::Open, Some(Engine::Redis), 0),
        (Api::Open, None, 0),
        (Api::Open, Some(Engine::Postgres), 1),
        (Api::Local, Some(Engine::Redis), 1),
        (Api::Closed, Some(Engine::Redis), 1),
    ] {
        let mut history = calls(api, &times);
        history.stalls.push(Stall { from: 50_000, to: 95_000, engine });
        assert_eq!(history.broken(Promise::P4), broken, "{} {engine:?}", api.name());
    }
}

#[test]
fn a_closed_policy_admits_nobody_without_redis() {
    for (kind, broken) in [
        (FaultKind::Paused(Engine::Redis), 1),
        (FaultKind::RedisFull, 1),
        (FaultKind::Link(Engine::Redis, LinkFault::Held), 1),
        (FaultKind::Link(Engine::Redis, LinkFault::Late), 0),
        (FaultKind::Link(Engine::Redis, LinkFault::Slow), 0),
        (FaultKind::Paused(Engine::Postgres), 0),
    ] {
        for api in [Api::Closed, Api::Wide] {
            let mut history = calls(api, &[(100, 101)]);
            history.fault(kind, (99, 150));
            assert_eq!(history.broken(Promise::P4), broken, "{kind}");
            // What was on its way when it began, or came after it, may be.
            history.faults.clear();
            history.fault(kind, (101, 150));
            history.fault(kind, (50, 100)).reach = crate::history::Reach::One(1);
            assert_eq!(history.broken(Promise::P4), 0, "{kind}");
        }
    }
}
