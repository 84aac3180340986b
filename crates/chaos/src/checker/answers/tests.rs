//! Answers that an outage explains, and answers that nothing does.

use super::super::{Promise, fixture::history};
use crate::history::{Answer, Api, Engine, FaultKind, History, LinkFault, Op, Reach, Stall};

const REDIS: FaultKind = FaultKind::Paused(Engine::Redis);
const POSTGRES: FaultKind = FaultKind::Paused(Engine::Postgres);

/// One request in the middle of a fault.
fn under(kind: FaultKind, op: Op, answer: Answer) -> History {
    let mut history = history();
    history.fault(kind, (1_000, 3_000));
    history.at((2_000, 2_001), 0, op, 1, 503).answer = answer;
    history.counted()
}

#[test]
fn what_can_be_served_is_not_refused() {
    use Engine::{Postgres, Redis};
    let changes = [Op::Signup, Op::Login, Op::Logout];
    let always = [Op::Top, Op::Count, Op::Ready];
    let closed = [Op::Call(Api::Closed), Op::Call(Api::Wide)];
    let others = [Op::Call(Api::Open), Op::Call(Api::Local)];
    for kind in [
        FaultKind::Killed(Redis),
        REDIS,
        FaultKind::RedisFull,
        FaultKind::RedisReadOnly,
        FaultKind::Link(Redis, LinkFault::Refused),
        FaultKind::Link(Redis, LinkFault::Late),
    ] {
        for op in changes.into_iter().chain(always).chain(others) {
            assert_eq!(under(kind, op, Answer::of(503)).broken(Promise::P5), 1, "{kind}: {op}");
        }
        for op in closed {
            assert_eq!(under(kind, op, Answer::of(503)).broken(Promise::P5), 0, "{kind}: {op}");
        }
    }
    for kind in [FaultKind::Killed(Postgres), POSTGRES, FaultKind::PostgresLocked] {
        for op in always {
            assert_eq!(under(kind, op, Answer::of(503)).broken(Promise::P5), 1, "{kind}: {op}");
        }
        for op in changes.into_iter().chain(closed).chain(others) {
            assert_eq!(under(kind, op, Answer::of(503)).broken(Promise::P5), 0, "{kind}: {op}");
        }
    }
    for kind in [FaultKind::RedisEmptied, FaultKind::Link(Redis, LinkFault::Slow)] {
        for op in changes.into_iter().chain(always).chain(closed).chain(others) {
            assert_eq!(under(kind, op, Answer::of(503)).broken(Promise::P5), 1, "{kind}: {op}");
        }
    }
}

#[test]
fn an_outage_is_never_anything_but_503_with_retry_after() {
    for answer in [
        Answer::of(500),
        Answer::of(502),
        Answer::of(404),
        Answer::Status { code: 503, retry_after: false },
        Answer::Lost,
        Answer::Silent,
        Answer::NotSent,
    ] {
        for kind in [REDIS, POSTGRES] {
            assert_eq!(under(kind, Op::Call(Api::Closed), answer).broken(Promise::P5), 1, "{kind}: {answer}");
        }
    }
}

#[test]
fn only_a_process_that_is_itself_at_fault_does_not_answer() {
    for answer in [Answer::Lost, Answer::Silent, Answer::NotSent] {
        let mut history = under(FaultKind::ProcessKilled, Op::Top, answer);
        history.faults[0].reach = Reach::One(0);
        assert_eq!(history.broken(Promise::P5), 0, "{answer}");
        history.faults[0].reach = Reach::One(1);
        assert_eq!(history.broken(Promise::P5), 1, "{answer}");
    }
}

#[test]
fn nothing_is_refused_in_calm_or_where_only_another_process_is_hit() {
    let mut history = under(REDIS, Op::Call(Api::Closed), Answer::of(503));
    history.faults[0].reach = Reach::One(1);
    assert_eq!(history.broken(Promise::P5), 1);
    history.faults.clear();
    assert_eq!(history.broken(Promise::P5), 1);
}

#[test]
fn a_change_may_wait_for_one_of_the_same_account_that_hangs_elsewhere() {
    let mut history = under(FaultKind::ProcessPaused, Op::Login, Answer::of(503));
    history.faults[0].reach = Reach::One(1);
    assert_eq!(history.broken(Promise::P5), 1);
    history.at((1_900, 5_000), 1, Op::Logout, 1, 503).process = 1;
    history.at((1_900, 1_950), 0, Op::Login, 1, 200);
    assert_eq!(history.broken(Promise::P5), 1, "of another account, or at a process that is not hit");
    history.at((1_900, 5_000), 0, Op::Logout, 1, 503).process = 1;
    assert_eq!(history.broken(Promise::P5), 0);
}

/// A login at 500 ms, PostgreSQL hung from 1000 ms on, and a call that is refused at 2000 ms.
fn cached() -> History {
    let mut history = under(POSTGRES, Op::Call(Api::Open), Answer::of(503));
    history.at((500, 510), 0, Op::Login, 1, 200);
    history
}

#[test]
fn without_postgresql_a_cached_session_works() {
    assert_eq!(cached().broken(Promise::P5), 1);

    // Not cached any more, and not surely cached: a change that may have taken the entry away, or a fault that did.
    let mut old = cached();
    old.terms.cache_ttl = 1_000_000;
    assert_eq!(old.broken(Promise::P5), 0);
    for (op, code) in [(Op::Logout, 503), (Op::Login, 503)] {
        let mut changed = cached();
        changed.at((1_500, 1_600), 0, op, 1, code);
        assert_eq!(changed.broken(Promise::P5), 0, "{op}");
    }
    let mut at_once = cached();
    at_once.at((490, 505), 0, Op::Login, 9, 200);
    assert_eq!(at_once.broken(Promise::P5), 0);
    let mut lost = cached();
    lost.fault(FaultKind::RedisEmptied, (700, 701));
    assert_eq!(lost.broken(Promise::P5), 0);
}

#[test]
fn what_stands_still_of_itself_excuses_a_503_and_nothing_else() {
    for (answer, broken) in [(Answer::of(503), 0), (Answer::of(500), 1), (Answer::Silent, 1)] {
        let mut history = under(FaultKind::ProcessKilled, Op::Login, answer);
        history.faults.clear();
        assert_eq!(history.broken(Promise::P5), 1, "{answer}");
        history.stalls = vec![Stall { engine: None, from: 1_800_000, to: 1_890_000 }];
        assert_eq!(history.broken(Promise::P5), 1, "{answer}: it was over");
        history.stalls.push(Stall { engine: Some(Engine::Postgres), from: 1_950_000, to: 2_000_500 });
        assert_eq!(history.broken(Promise::P5), broken, "{answer}");
    }
    // What we stopped does not stand still of itself; behind a link that we broke it does.
    for (kind, broken) in [(REDIS, 1), (FaultKind::Link(Engine::Redis, LinkFault::Blackholed), 0)] {
        let mut history = under(kind, Op::Login, Answer::of(503));
        history.stalls = vec![Stall { engine: Some(Engine::Redis), from: 1_950_000, to: 2_500_000 }];
        assert_eq!(history.broken(Promise::P5), broken, "{kind}");
    }
}
