//! What a [`CallHistory`] promises, of what a [`CallLedger`] adds to it.

use std::{sync::Arc, time::Duration};

use tollbar_core::{
    domain::{
        Activity, ApiName, Caller, Epoch, EpochSums, Outcomes, Ranking, SketchSpan, Sketches, Step,
        Timestamp, UserId,
    },
    ports::{Added, CallHistory, CallLedger},
};

use crate::{CallLedgerHarness, call_ledger::begin, harness::epoch_of, together};

/// The beginning of a day, some years ago: a store that goes by its own clock, too, finds it in the past.
const DAY: Timestamp = Timestamp::from_micros(19_000 * 86_400 * 1_000_000);

fn minutes(number: u64) -> Duration {
    Duration::from_secs(number * 60)
}

fn days(number: u64) -> Duration {
    minutes(number * 24 * 60)
}

fn name(api: &str) -> ApiName {
    ApiName::new(api).unwrap()
}

fn caller((id, calls): (u64, u64)) -> Caller {
    Caller { user: UserId::new(id).unwrap(), calls }
}

/// An epoch's activity in one minute: who was admitted and who was limited, how often. Every second denial was from memory, and as
/// many calls were refused as were limited.
fn activity(api: &str, at: Timestamp, callers: &[(u64, u64)], limited: &[(u64, u64)]) -> EpochSums {
    let sum = |of: &[(u64, u64)]| of.iter().map(|(_, calls)| calls).sum();
    let limited_calls: u64 = sum(limited);
    let outcomes = Outcomes {
        admitted: sum(callers),
        limited: limited_calls,
        repeated: limited_calls / 2,
        refused: limited_calls,
    };
    let activity = Activity {
        api: name(api),
        hour: Step::Hour.start(at),
        minutes: vec![(Step::Minute.start(at), outcomes)],
        callers: callers.iter().copied().map(caller).collect(),
        limited: limited.iter().copied().map(caller).collect(),
    };
    EpochSums { tallies: Vec::new(), activity: vec![activity] }
}

fn admitted(admitted: u64) -> Outcomes {
    Outcomes { admitted, ..Outcomes::default() }
}

async fn add(ledger: &Arc<dyn CallLedger>, process: u8, epoch: u64, sums: &EpochSums) {
    begin(ledger, process).await;
    assert!(matches!(ledger.add(epoch_of(process, epoch), sums).await.unwrap(), Added::Totals(_)));
}

async fn series(history: &Arc<dyn CallHistory>, api: &str, step: Step) -> Vec<(Timestamp, Outcomes)> {
    history.series(&name(api), step, Timestamp::default(), DAY + days(1_000)).await.unwrap()
}

async fn sketches(history: &Arc<dyn CallHistory>, api: &str, span: SketchSpan, from: Timestamp) -> Sketches {
    Sketches::union(&history.sketches(&name(api), span, from, DAY + days(1_000)).await.unwrap())
}

fn exact<const N: usize>(callers: [(u64, u64); N]) -> Ranking {
    Ranking { callers: callers.map(caller).to_vec(), error: 0 }
}

suite! {
    ($) call_history_suite, call_history, CallLedgerHarness;

    /// Outcomes add up by minute, hour and day, each API by itself.
    async fn outcomes_add_up_by_minute_hour_and_day(harness) {
        let (ledger, history) = (harness.call_ledger(), harness.call_history());
        assert_eq!(series(&history, "ping", Step::Day).await, []);
        let late = DAY + minutes(23 * 60 + 59);
        add(&ledger, 1, 1, &activity("ping", late, &[(1, 2)], &[(2, 3)])).await;
        add(&ledger, 1, 2, &activity("ping", late, &[(1, 1), (3, 1)], &[])).await;
        add(&ledger, 1, 3, &activity("ping", late + minutes(1), &[(1, 1)], &[])).await;
        add(&ledger, 2, 1, &activity("pong", late, &[(1, 7)], &[])).await;
        let first = Outcomes { admitted: 4, limited: 3, repeated: 1, refused: 3 };
        let next = DAY + days(1);
        assert_eq!(series(&history, "ping", Step::Minute).await, [(late, first), (next, admitted(1))]);
        let hour = DAY + minutes(23 * 60);
        assert_eq!(series(&history, "ping", Step::Hour).await, [(hour, first), (next, admitted(1))]);
        assert_eq!(series(&history, "ping", Step::Day).await, [(DAY, first), (next, admitted(1))]);
        assert_eq!(series(&history, "pong", Step::Day).await, [(DAY, admitted(7))]);
        let within = history.series(&name("ping"), Step::Minute, late, next).await.unwrap();
        assert_eq!(within, [(late, first)], "from a beginning on, and before another");
        assert_eq!(history.apis().await.unwrap(), [name("ping"), name("pong")]);
    }

    /// What is added with an epoch that is known or refused is not added again.
    async fn an_epoch_added_twice_or_refused_tells_nothing_new(harness) {
        let (ledger, history) = (harness.call_ledger(), harness.call_history());
        let sums = activity("ping", DAY, &[(1, 2)], &[(2, 4)]);
        add(&ledger, 1, 1, &sums).await;
        add(&ledger, 1, 1, &sums).await;
        assert_eq!(ledger.add(epoch_of(9, 1), &sums).await.unwrap(), Added::Closed);
        let once = Outcomes { admitted: 2, limited: 4, repeated: 2, refused: 4 };
        assert_eq!(series(&history, "ping", Step::Minute).await, [(DAY, once)]);
        let today = sketches(&history, "ping", SketchSpan::Day, DAY).await;
        assert_eq!((today.top(10), today.most_limited(10)), (exact([(1, 2)]), exact([(2, 4)])));
    }

    /// Whoever closes an incarnation adds the activity of those of its epochs that are not in the ledger.
    async fn closing_tells_of_the_later_epochs(harness) {
        let (ledger, history) = (harness.call_ledger(), harness.call_history());
        let sums = |user| activity("ping", DAY, &[(user, 1)], &[]);
        add(&ledger, 1, 1, &sums(1)).await;
        let epochs = [(Epoch::new(1), sums(1)), (Epoch::new(2), sums(2)), (Epoch::new(3), sums(3))];
        for _ in 0..2 {
            ledger.close(epoch_of(1, 0).incarnation, &epochs).await.unwrap();
        }
        assert_eq!(series(&history, "ping", Step::Hour).await, [(DAY, admitted(3))]);
        assert_eq!(sketches(&history, "ping", SketchSpan::Hour, DAY).await.distinct(), 3);
    }

    /// Summaries tell who called and who was limited, by hour and by day; of all time, who was limited.
    async fn summaries_tell_who_called_and_who_was_limited(harness) {
        let (ledger, history) = (harness.call_ledger(), harness.call_history());
        let hour = DAY + minutes(60);
        add(&ledger, 1, 1, &activity("ping", DAY, &[(1, 5), (2, 1)], &[(3, 2)])).await;
        add(&ledger, 1, 2, &activity("ping", hour, &[(2, 3)], &[(3, 1), (4, 9)])).await;
        add(&ledger, 1, 3, &activity("ping", DAY + days(1), &[(5, 1)], &[])).await;
        add(&ledger, 2, 1, &activity("pong", DAY, &[(9, 9)], &[(9, 9)])).await;
        let later = sketches(&history, "ping", SketchSpan::Hour, hour).await;
        assert_eq!((later.distinct(), later.top(10)), (2, exact([(2, 3), (5, 1)])));
        let all = sketches(&history, "ping", SketchSpan::Day, DAY).await;
        assert_eq!((all.distinct(), all.top(2)), (3, exact([(1, 5), (2, 4)])));
        assert_eq!(all.most_limited(10), exact([(4, 9), (3, 3)]));
        let ever = sketches(&history, "ping", SketchSpan::Ever, Timestamp::default()).await;
        assert_eq!((ever.most_limited(10), ever.top(10)), (exact([(4, 9), (3, 3)]), exact([])));
        assert_eq!(sketches(&history, "ping", SketchSpan::Day, DAY + days(2)).await.distinct(), 0);
    }

    /// Twenty processes that add to the same hours and summaries at once lose nothing and do not block each other.
    async fn twenty_concurrent_processes_lose_nothing(harness) {
        let (ledger, history) = (harness.call_ledger(), harness.call_history());
        together(20, |index| {
            let (ledger, process) = (ledger.clone(), u8::try_from(index).unwrap());
            async move {
                for epoch in 1..=5 {
                    let at = DAY + minutes(epoch * 50);
                    let mut both = activity("ping", at, &[(1, 1), (100 + u64::from(process), 1)], &[(7, 1)]);
                    both.activity.extend(activity("pong", at, &[(1, 1)], &[]).activity);
                    if index % 2 == 0 {
                        both.activity.reverse();
                    }
                    add(&ledger, process, epoch, &both).await;
                }
            }
        })
        .await;
        let all = Outcomes { admitted: 200, limited: 100, repeated: 0, refused: 100 };
        assert_eq!(series(&history, "ping", Step::Day).await, [(DAY, all)]);
        assert_eq!(series(&history, "ping", Step::Minute).await.len(), 5);
        for span in [SketchSpan::Hour, SketchSpan::Day] {
            let told = sketches(&history, "ping", span, DAY).await;
            assert_eq!((told.distinct(), told.top(1)), (21, exact([(1, 100)])));
            assert_eq!(told.most_limited(10), exact([(7, 100)]));
            assert_eq!(sketches(&history, "pong", span, DAY).await.top(10), exact([(1, 100)]));
        }
    }

    /// What is kept for long enough is forgotten, and nothing else: neither by a caller whose clock is ahead.
    async fn what_is_kept_for_long_enough_is_forgotten(harness) {
        let (ledger, history) = (harness.call_ledger(), harness.call_history());
        let now = DAY + days(500);
        let ages = [days(402), days(399), days(32), days(30), days(29), minutes(25 * 60 + 61), minutes(24 * 60 + 2), minutes(1)];
        let since = |age: Duration| Timestamp::from_micros(now.as_micros() - u64::try_from(age.as_micros()).unwrap());
        for (epoch, age) in (1..).zip(ages) {
            add(&ledger, 1, epoch, &activity("ping", since(age), &[(epoch, 1)], &[(epoch, 1)])).await;
        }
        history.prune(now).await.unwrap();
        let kept = async |step| series(&history, "ping", step).await.len();
        assert_eq!((kept(Step::Minute).await, kept(Step::Hour).await, kept(Step::Day).await), (1, 5, 6));
        for (span, callers) in [(SketchSpan::Day, 5), (SketchSpan::Hour, 2)] {
            assert_eq!(sketches(&history, "ping", span, Timestamp::default()).await.distinct(), callers);
        }
        let ever = sketches(&history, "ping", SketchSpan::Ever, Timestamp::default()).await;
        assert_eq!(ever.most_limited(100).callers.len(), ages.len());
        let soon = Timestamp::from_micros(u64::MAX / 4);
        add(&ledger, 1, 9, &activity("pong", soon, &[(1, 1)], &[])).await;
        history.prune(soon + days(1_000)).await.unwrap();
        let from = Timestamp::default();
        let until = soon + days(1);
        assert_eq!(history.sketches(&name("pong"), SketchSpan::Day, from, until).await.unwrap().len(), 1);
        let earlier = history.sketches(&name("pong"), SketchSpan::Day, from, DAY + days(501)).await;
        assert_eq!(earlier.unwrap().len(), 0, "it begins later");
    }

    /// Summaries of more callers than they tell apart stay small, find the best, and say how far they may be wrong.
    async fn of_many_callers_the_best_are_told_and_the_error_is_stated(harness) {
        let (ledger, history) = (harness.call_ledger(), harness.call_history());
        for epoch in 1..=20 {
            let mut callers: Vec<_> = (1..=1_000).map(|user| (epoch * 10_000 + user, 1)).collect();
            callers.extend((1..=10).map(|user| (user, 100)));
            add(&ledger, 1, epoch, &activity("ping", DAY + minutes(epoch * 60), &callers, &[])).await;
        }
        let told = sketches(&history, "ping", SketchSpan::Day, DAY).await;
        let (distinct, really) = (told.distinct(), 20_010_u64);
        assert!(distinct.abs_diff(really) * 100 < really * 4, "{distinct}");
        let Ranking { callers, error } = told.top(10);
        assert_eq!(callers.iter().map(|best| best.user.get()).max(), Some(10), "{callers:?}");
        assert!(error > 0 && callers.iter().all(|best| best.calls <= 2_000 && best.calls + error >= 2_000));
        let bytes = told.to_bytes().len();
        assert!(bytes < 40 * 1_024, "{bytes}");
    }
}
