//! Leaderboards of a run that is going on.

use super::super::{Promise, fixture::history};
use crate::history::{Board, Engine, FaultKind, History, LinkFault, Place, Reach, Stall};

/// Account 0 (id 101) has called twice, account 1 (id 102) once, and once without an answer at the end.
fn called() -> History {
    let mut history = history();
    history.call((0, 10), 0, 1, 200);
    history.call((2_000, 2_010), 0, 1, 200);
    history.call((0, 10), 1, 1, 200);
    history.call((5_000, 5_010), 1, 1, 503);
    history.fault(FaultKind::Paused(crate::history::Engine::Redis), (4_990, 5_050));
    history.counted()
}

fn broken(history: &mut History, times: (u64, u64), places: &[(u64, u64)]) -> u64 {
    let places = places.iter().map(|(id, calls)| Place { id: *id, calls: *calls }).collect();
    history.boards =
        vec![Board { sent: times.0 * 1000, received: times.1 * 1000, process: 0, is_stale: false, places }];
    history.broken(Promise::P3)
}

#[test]
fn a_board_has_what_was_acknowledged_a_second_before_and_no_more_than_was_sent() {
    for (places, is_broken) in [
        (&[(101, 2), (102, 1)][..], 0),
        (&[(101, 1), (102, 1)], 1),
        (&[(101, 3), (102, 1)], 1),
        (&[(101, 2)], 1),
        (&[(101, 2), (102, 1), (999, 1)], 1),
        (&[(102, 1), (101, 2)], 1),
    ] {
        assert_eq!(broken(&mut called(), (3_500, 3_501), places), is_broken, "{places:?}");
    }
    // Acknowledged less than a second before.
    assert_eq!(broken(&mut called(), (2_900, 2_901), &[(101, 1), (102, 1)]), 0);
    // What has no answer may be there, and need not.
    for calls in [1, 2] {
        assert_eq!(broken(&mut called(), (9_000, 9_001), &[(101, 2), (102, calls)]), 0);
    }
}

#[test]
fn what_redis_lost_is_there_again_after_a_second() {
    let mut history = called();
    history.fault(FaultKind::RedisEmptied, (6_000, 6_001));
    assert_eq!(broken(&mut history, (6_500, 6_501), &[]), 0);
    assert_eq!(broken(&mut history, (7_002, 7_003), &[]), 1);
}

#[test]
fn calls_between_a_loss_and_an_outage_of_the_database_may_be_missing_until_it_is_over() {
    for (outage, is_broken) in [((8_000, 10_000), 0), ((20_000, 22_000), 1)] {
        let mut history = called();
        history.fault(FaultKind::RedisEmptied, (6_000, 6_001));
        history.fault(FaultKind::Paused(Engine::Postgres), outage);
        let later = outage.0 + 1_800;
        assert_eq!(broken(&mut history, (later, later + 1), &[(101, 1), (102, 1)]), is_broken);
        assert_eq!(broken(&mut history, (30_000, 30_001), &[(101, 1), (102, 1)]), 1);
    }
}

#[test]
fn a_board_without_redis_is_called_stale_and_no_other_one_is() {
    let mut history = called();
    history.fault(FaultKind::Killed(Engine::Redis), (6_000, 9_000));
    let mut stale = |times, is_stale| {
        broken(&mut history, times, &[(101, 2), (102, 1)]);
        history.boards[0].is_stale = is_stale;
        history.broken(Promise::P3)
    };
    assert_eq!(stale((7_500, 7_600), true), 0);
    assert_eq!(stale((7_500, 7_600), false), 1);
    assert_eq!(stale((9_500, 9_600), true), 0);
    assert_eq!(stale((20_000, 20_001), true), 1);
    assert_eq!(stale((20_000, 20_001), false), 0);
    // Of a process that has Redis, while another has calls that it cannot tell Redis.
    let mut history = called();
    history.fault(FaultKind::Link(Engine::Redis, LinkFault::Refused), (6_000, 9_000));
    history.faults[0].reach = Reach::One(1);
    broken(&mut history, (7_500, 7_600), &[(101, 2), (102, 1)]);
    history.boards[0].is_stale = true;
    assert_eq!(history.broken(Promise::P3), 0);
    // Nor did anybody break anything where Redis stood still of itself.
    for (engine, wrong) in [(Some(Engine::Redis), 0), (None, 0), (Some(Engine::Postgres), 1)] {
        let mut history = called();
        broken(&mut history, (7_500, 7_600), &[(101, 2), (102, 1)]);
        history.boards[0].is_stale = true;
        history.stalls = vec![Stall { engine, from: 7_300_000, to: 7_400_000 }];
        assert_eq!(history.broken(Promise::P3), wrong, "{engine:?}");
    }
}

#[test]
fn whoever_is_not_on_a_full_board_is_below_its_last_place() {
    let mut history = called();
    history.ids.extend((3..13).map(|user| Some(101 + user)));
    for user in 3..13 {
        history.call((0, 10), user, 1, 200);
        history.call((1_200, 1_210), user, 1, 200);
    }
    let mut history = history.counted();
    let others: Vec<_> = (104..114).map(|id| (id, 2)).collect();
    // 101 has two calls and the lower number: it is left out in favour of its equals, which the end would tell.
    assert_eq!(broken(&mut history, (3_500, 3_501), &others), 0);
    history.call((2_100, 2_110), 0, 1, 200);
    let mut history = history.counted();
    assert_eq!(broken(&mut history, (3_500, 3_501), &others), 1);
}
