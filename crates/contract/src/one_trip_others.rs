//! What a [`OneTrip`](tollbar_core::ports::OneTrip) promises of calls that are not the plain ones: no limit, limits by path, buckets, and
//! limits on what is no user.

use tollbar_core::{
    domain::{Caller, Fingerprint, Subject},
    ports::Crossing,
};

use crate::{
    OneTripHarness, epoch,
    one_trip::{admitted, limited, login, remaining, state, token},
    rate_limiter::{policy, secs, user, violated},
    rate_limiter_gcra::buckets,
    together,
};

suite! {
    ($) one_trip_others_suite, one_trip_others, OneTripHarness;

    /// Without a limit a live session suffices; every call is counted, and nothing of it is kept.
    async fn without_a_limit_a_live_session_suffices_and_is_counted(harness) {
        let engine = harness.one_trip();
        let none = policy("none", &[(1, secs(5))]).without_windows();
        let live = login(&harness, 1, 2).await;
        for _ in 0..5 {
            let decision = admitted(&engine, &live, &none).await;
            assert_eq!((decision.windows.len(), decision.at), (0, harness.clock().now()));
        }
        assert!(engine.charge(user(1), &none, epoch()).await.unwrap().allowed());
        assert_eq!(engine.admit(&token(1, 1), &none, epoch()).await.unwrap(), Crossing::Dead);
        assert_eq!(engine.admit(&token(2, 1), &none, epoch()).await.unwrap(), Crossing::Unknown);
        let tracker = harness.call_tracker();
        assert_eq!(tracker.top(none.api(), 10).await.unwrap(), [Caller { user: user(1), calls: 6 }]);
        assert_eq!(tracker.distinct(none.api()).await.unwrap(), 1);
        let one = policy("one", &[(1, secs(5))]);
        admitted(&engine, &live, &one).await;
        admitted(&engine, &live, &none).await;
        limited(&engine, &live, &one).await;
    }

    /// Each path is limited by itself, and all are counted as one; the other port sees the same.
    async fn each_path_is_limited_by_itself(harness) {
        let (engine, limiter) = (harness.one_trip(), harness.rate_limiter());
        let (live, two) = (login(&harness, 1, 1).await, policy("two", &[(2, secs(10))]));
        let at = |path| two.at_path(Fingerprint::of_path(path));
        for path in ["/a", "/b"] {
            assert_eq!(remaining(&admitted(&engine, &live, &at(path)).await), [1]);
            assert_eq!(remaining(&limiter.decide(&at(path), user(1).into()).await.unwrap()), [0]);
            assert_eq!(violated(&limited(&engine, &live, &at(path)).await), [2]);
        }
        assert_eq!(engine.admit(&token(1, 0), &at("/c"), epoch()).await.unwrap(), Crossing::Dead);
        assert_eq!(remaining(&limiter.peek(&at("/c"), user(1).into()).await.unwrap()), [2]);
        assert_eq!(remaining(&engine.charge(user(1), &at("/c"), epoch()).await.unwrap()), [1]);
        let calls = harness.call_tracker().top(two.api(), 10).await.unwrap();
        assert_eq!(calls, [Caller { user: user(1), calls: 3 }]);
        assert_eq!(remaining(&admitted(&engine, &live, &two).await), [1], "the policy itself is another state");
    }

    /// Buckets and units of one user stand side by side.
    async fn buckets_stand_beside_units(harness) {
        let (engine, live) = (harness.one_trip(), login(&harness, 1, 1).await);
        let (bucket, units) = (buckets("p", &[(2, secs(10)), (3, secs(60))]), policy("p", &[(2, secs(10))]));
        for left in [1, 0] {
            assert_eq!(remaining(&admitted(&engine, &live, &bucket).await), [left, left + 1]);
            assert_eq!(remaining(&admitted(&engine, &live, &units).await), [left]);
        }
        assert_eq!(limited(&engine, &live, &bucket).await.retry_after(), secs(5));
        assert_eq!(limited(&engine, &live, &units).await.retry_after(), secs(10));
        harness.pass(secs(5));
        admitted(&engine, &live, &bucket).await;
        assert_eq!(violated(&limited(&engine, &live, &bucket).await), [2, 3]);
        harness.pass(secs(5));
        assert_eq!(remaining(&admitted(&engine, &live, &units).await), [1]);
    }

    /// A limit on what is no user counts nobody, and is that of the other port.
    async fn a_limit_on_what_is_no_user_counts_nobody(harness) {
        let (engine, limiter) = (harness.one_trip(), harness.rate_limiter());
        let three = policy("three", &[(3, secs(10))]);
        for subject in [Subject::header("x-api-key", Some(b"k")), user(1).into()] {
            let before = state(&harness, 2, &three).await;
            assert_eq!(remaining(&engine.limit(subject, &three).await.unwrap()), [2]);
            assert_eq!(remaining(&limiter.decide(&three, subject).await.unwrap()), [1]);
            assert_eq!(remaining(&engine.limit(subject, &three).await.unwrap()), [0]);
            assert_eq!(engine.limit(subject, &three).await.unwrap().retry_after(), secs(10));
            assert_eq!(state(&harness, 2, &three).await, before);
            let at_path = three.at_path(Fingerprint::of_path("/a"));
            assert_eq!(remaining(&engine.limit(subject, &at_path).await.unwrap()), [2]);
        }
    }

    /// Many of every kind at the same time: each limit holds exactly, and each admitted call is counted.
    async fn many_of_every_kind_at_once_are_each_limited_exactly(harness) {
        let (engine, seven) = (harness.one_trip(), policy("seven", &[(7, secs(60))]));
        let (one, two) = (login(&harness, 1, 1).await, login(&harness, 17, 1).await);
        let results = together(300, |index| {
            let (engine, seven) = (engine.clone(), seven.clone());
            let token = if index % 2 == 0 { one.clone() } else { two.clone() };
            let at_path = seven.at_path(Fingerprint::of_path("/a"));
            let bucket = buckets("seven", &[(7, secs(86_400))]);
            async move {
                let admitted = |crossing| matches!(crossing, Crossing::Admitted(_));
                match index % 5 {
                    0 => admitted(engine.admit(&token, &seven, epoch()).await.unwrap()),
                    1 => admitted(engine.admit(&token, &at_path, epoch()).await.unwrap()),
                    2 => admitted(engine.admit(&token, &bucket, epoch()).await.unwrap()),
                    3 => admitted(engine.admit(&token, &seven.without_windows(), epoch()).await.unwrap()),
                    _ => engine.limit(Subject::header("k", Some(b"v")), &seven).await.unwrap().allowed(),
                }
            }
        })
        .await;
        let count = |kind| results.iter().enumerate().filter(|(index, allowed)| index % 5 == kind && **allowed).count();
        assert_eq!([0, 1, 2, 3, 4].map(count), [14, 14, 14, 60, 7]);
        let calls = harness.call_tracker().top(seven.api(), 10).await.unwrap();
        assert_eq!(calls, [Caller { user: user(1), calls: 51 }, Caller { user: user(17), calls: 51 }]);
    }
}
