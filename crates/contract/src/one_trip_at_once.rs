//! What a [`OneTrip`](tollbar_core::ports::OneTrip) promises of calls that come at once and may travel together.

use tollbar_core::{
    domain::{Caller, Decision, Policy},
    ports::{Crossing, MAX_TOP},
};

use crate::{
    OneTripHarness, epoch,
    one_trip::{counted_as, login, remaining, sealed, token},
    rate_limiter::{policy, secs, user, violated},
    together,
};

/// What must be said of one call among many.
#[derive(Debug, Clone, PartialEq)]
enum Expected {
    /// Admitted, with this much left in each window.
    Admitted(Vec<u32>),
    /// Limited by the windows of these quotas.
    Limited(Vec<u32>),
    Dead,
    Unknown,
}

impl Expected {
    /// What was said, if the windows are those of the policy that was asked for.
    fn of(crossing: &Crossing, asked: &Policy) -> Self {
        let of_asked = |decision: &Decision| {
            let windows: Vec<_> = decision.windows.iter().map(|state| state.window).collect();
            assert_eq!(windows, asked.windows(), "the answer to another's call");
        };
        match crossing {
            Crossing::Admitted(decision) => {
                of_asked(decision);
                Self::Admitted(remaining(decision))
            }
            Crossing::Limited(decision) => {
                of_asked(decision);
                Self::Limited(violated(decision))
            }
            Crossing::Dead => Self::Dead,
            Crossing::Unknown => Self::Unknown,
        }
    }
}

suite! {
    ($) one_trip_at_once_suite, one_trip_at_once, OneTripHarness;

    /// Two hundred at once against a quota of seven: seven are admitted and seven counted, whether their session was checked or not.
    async fn of_two_hundred_at_once_a_quota_of_seven_admits_and_counts_seven(harness) {
        let (engine, seven) = (harness.one_trip(), policy("seven", &[(7, secs(60)), (100, secs(600))]));
        let token = login(&harness, 1, 1).await;
        let decisions = together(200, |index| {
            let (engine, token, seven) = (engine.clone(), token.clone(), seven.clone());
            async move {
                if index % 2 == 0 {
                    return engine.charge(user(1), &seven, epoch()).await.unwrap();
                }
                match engine.admit(&token, &seven, epoch()).await.unwrap() {
                    Crossing::Admitted(decision) | Crossing::Limited(decision) => decision,
                    other => panic!("{other:?}"),
                }
            }
        })
        .await;
        let mut left: Vec<_> = decisions.iter().filter(|said| said.allowed()).map(remaining).collect();
        left.sort();
        assert_eq!(left, (0..7).map(|left| vec![left, 93 + left]).collect::<Vec<_>>());
        let top = harness.call_tracker().top(seven.api(), 10).await.unwrap();
        assert_eq!(top, [Caller { user: user(1), calls: 7 }]);
    }

    /// Three hundred at once of sixty users under two APIs: each user has what is theirs, and no more.
    async fn sixty_users_at_once_are_each_admitted_and_counted_exactly(harness) {
        let engine = harness.one_trip();
        let mut tokens = Vec::new();
        for id in 1..=60 {
            tokens.push(login(&harness, id, id).await);
        }
        // Of five calls of a user three ask for a quota of two under one API, and two for a quota of one under another.
        let (two, one) = (policy("two", &[(2, secs(60))]), counted_as("pong", &policy("one", &[(1, secs(60))])));
        let said = together(300, |index| {
            let (engine, token) = (engine.clone(), tokens[index % 60].clone());
            let policy = if index / 60 < 3 { two.clone() } else { one.clone() };
            async move { Expected::of(&engine.admit(&token, &policy, epoch()).await.unwrap(), &policy) }
        })
        .await;
        for caller in 0..60 {
            let of = |calls: std::ops::Range<usize>| {
                let mut said: Vec<_> = calls.map(|call| said[call * 60 + caller].clone()).collect();
                said.sort_by_key(|said| match said {
                    Expected::Admitted(left) => 10 - left[0],
                    _ => 11,
                });
                said
            };
            let (admitted, limited) = (|left| Expected::Admitted(vec![left]), |quota| Expected::Limited(vec![quota]));
            assert_eq!(of(0..3), [admitted(1), admitted(0), limited(2)], "user {}", caller + 1);
            assert_eq!(of(3..5), [admitted(0), limited(1)], "user {}", caller + 1);
        }
        let tracker = harness.call_tracker();
        for (policy, calls) in [(two, 2), (one, 1)] {
            let expected: Vec<_> = (1..=10).map(|id| Caller { user: user(id), calls }).collect();
            assert_eq!(tracker.top(policy.api(), MAX_TOP).await.unwrap(), expected);
            assert_eq!(tracker.distinct(policy.api()).await.unwrap(), 60);
        }
    }

    /// Callers of every kind at once, each with a policy, a cost and a past of their own: each is told what is theirs.
    async fn callers_of_every_kind_at_once_are_each_told_what_is_theirs(harness) {
        let engine = harness.one_trip();
        let mut calls = Vec::new();
        for id in 1..=150_u64 {
            let cost = u32::try_from(id % 3 + 1).unwrap();
            let quota = u32::try_from(id).unwrap() + 10;
            // One to three windows; the last is what limits.
            let mut windows = vec![(quota + 1_000, secs(600)), (quota + 500, secs(300))];
            windows.truncate(usize::try_from(id % 3).unwrap());
            windows.push((quota, secs(60)));
            let own = policy(["a", "b", "c", "d"][cost as usize], &windows).with_cost(cost).unwrap();
            let (token, expected) = match id % 5 {
                0 => (login(&harness, id, id).await, Expected::Limited(vec![quota])),
                1 => {
                    login(&harness, id, id).await;
                    (sealed(user(id), id, 2), Expected::Dead)
                }
                2 => (token(id, id), Expected::Unknown),
                3 => {
                    login(&harness, id, id).await;
                    (token(id, id + 1), Expected::Unknown)
                }
                _ => {
                    let left = windows.iter().map(|window| window.0 - 2 * cost).collect();
                    (login(&harness, id, id).await, Expected::Admitted(left))
                }
            };
            let before = if id % 5 == 0 { quota } else { cost };
            let past = policy(own.name().as_str(), &windows).with_cost(before).unwrap();
            assert!(harness.rate_limiter().decide(&past, user(id).into()).await.unwrap().allowed());
            calls.push((token, own, expected));
        }
        let said = together(150, |index| {
            let (engine, (token, own, _)) = (engine.clone(), calls[index].clone());
            async move { Expected::of(&engine.admit(&token, &own, epoch()).await.unwrap(), &own) }
        })
        .await;
        for (said, (token, _, expected)) in said.iter().zip(&calls) {
            assert_eq!(said, expected, "{token:?}");
        }
        let admitted = calls.iter().filter(|(_, _, expected)| matches!(expected, Expected::Admitted(_)));
        let mut expected: Vec<_> = admitted.map(|(token, ..)| Caller { user: token.user(), calls: 1 }).collect();
        expected.sort_by_key(|caller| caller.user);
        expected.truncate(MAX_TOP);
        assert_eq!(harness.call_tracker().top(calls[0].1.api(), MAX_TOP).await.unwrap(), expected);
    }
}
