//! How long after a fault something is refused.

use super::super::{Promise, check, fixture::history};
use super::typical;
use crate::history::{Api, Engine, FaultKind, Op, Reach};

const KIND: FaultKind = FaultKind::Killed(Engine::Redis);

#[test]
fn a_second_after_a_fault_nothing_is_refused_any_more() {
    for (refused, broken) in [(2_900, 0), (3_100, 1)] {
        let mut history = history();
        history.fault(KIND, (1_000, 2_000));
        history.at((2_500, 2_501), 0, Op::Call(Api::Closed), 1, 503);
        history.at((refused - 1, refused), 0, Op::Call(Api::Closed), 1, 503);
        history.at((3_500, 3_501), 0, Op::Call(Api::Closed), 1, 401);
        let report = check(&history);
        assert_eq!(report.times(Promise::P6), broken);
        assert_eq!(
            typical(&report.recoveries, KIND),
            Some(((refused - 2_000) * 1000, (refused - 2_000) * 1000))
        );
    }
}

#[test]
fn a_fault_that_leaves_nothing_behind_takes_no_time() {
    let mut history = history();
    history.fault(KIND, (1_000, 2_000));
    // Another process, and the next fault.
    history.faults[0].reach = Reach::One(1);
    history.fault(KIND, (5_000, 9_000));
    history.at((6_000, 6_001), 0, Op::Call(Api::Closed), 1, 503);
    let report = check(&history);
    assert!(report.is_clean(), "{:?}", report.violations);
    assert_eq!(report.recoveries[&KIND], [0, 0]);
    assert_eq!(typical(&report.recoveries, FaultKind::RedisFull), None);
}
