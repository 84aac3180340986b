//! Times under a fault, beside those in calm.

use super::super::{
    Promise,
    fixture::{assert_clean, history},
};
use crate::history::{Api, Engine, FaultKind, History, LinkFault, Micros, Op};

/// In calm each answer takes 5 ms; under the fault it takes `took`.
fn slower(kind: FaultKind, op: Op, took: Micros) -> History {
    let mut history = history();
    for request in 0..200 {
        history.ask((request * 10, request * 10 + 5), op, if op == Op::Logout { 204 } else { 200 });
    }
    for request in 0..200 {
        let sent = 11_000 + request * 20;
        history.ask((sent, sent + took), op, if op == Op::Logout { 204 } else { 200 });
    }
    history.fault(kind, (10_000, 30_000));
    history
}

#[test]
fn one_deadline_of_what_does_not_answer_is_explained() {
    // Percentiles are off by 3 % at most.
    use Engine::{Postgres, Redis};
    for (kind, op, most, more) in [
        (FaultKind::Paused(Redis), Op::Login, 115, 132),
        (FaultKind::Link(Redis, LinkFault::Blackholed), Op::Call(Api::Open), 115, 132),
        (FaultKind::Paused(Postgres), Op::Login, 985, 1_070),
        (FaultKind::Paused(Postgres), Op::Top, 22, 28),
        (FaultKind::RedisEmptied, Op::Top, 22, 28),
    ] {
        assert_clean(&slower(kind, op, most));
        assert_eq!(slower(kind, op, more).broken(Promise::P5), 1, "{kind}: {op}");
    }
}

#[test]
fn a_slow_link_and_a_process_that_is_hung_are_not_held_to_it() {
    for kind in [FaultKind::Link(Engine::Redis, LinkFault::Slow), FaultKind::ProcessPaused] {
        assert_clean(&slower(kind, Op::Login, 3_000));
    }
}

#[test]
fn what_began_before_the_fault_or_ended_after_it_is_not_of_it() {
    let mut history = slower(FaultKind::Paused(Engine::Redis), Op::Login, 900);
    history.faults[0].applied = 20_000_000;
    assert_clean(&history);
}
