//! What a [`RateLimiter`](tollbar_core::ports::RateLimiter) promises of subjects that are no users, of paths, and of policies without a
//! limit.

use std::net::IpAddr;

use tollbar_core::domain::{Fingerprint, Policy, Subject};

use crate::{
    RateLimiterHarness,
    rate_limiter::{policy, secs, user},
    together,
};

fn address(text: &str) -> Subject {
    Subject::address(text.parse::<IpAddr>().unwrap())
}

suite! {
    ($) rate_limiter_subjects_suite, rate_limiter_subjects, RateLimiterHarness;

    /// Whoever it is, a window holds its quota; no two share a state.
    async fn subjects_are_kept_apart(harness) {
        let (limiter, two) = (harness.rate_limiter(), policy("two", &[(2, secs(10))]));
        let subjects = [
            user(1).into(),
            user(17).into(),
            address("192.0.2.1"),
            address("192.0.2.2"),
            address("2001:db8::1"),
            Subject::header("x-api-key", Some(b"1")),
            Subject::header("x-api-key", Some(b"")),
            Subject::header("x-api-key", None),
            Subject::header("x-other", Some(b"1")),
        ];
        for allowed in [true, true, false] {
            for subject in subjects {
                let decision = limiter.decide(&two, subject).await.unwrap();
                assert_eq!(decision.allowed(), allowed, "{subject:?}");
            }
        }
        harness.pass(secs(10));
        for subject in subjects {
            assert_eq!(limiter.peek(&two, subject).await.unwrap().windows[0].remaining, 2, "{subject:?}");
        }
    }

    /// Policies of one subject share nothing either, and a spent one takes no other with it.
    async fn policies_of_a_subject_are_kept_apart(harness) {
        let (limiter, client) = (harness.rate_limiter(), address("192.0.2.1"));
        let (short, long) = (policy("short", &[(1, secs(1))]), policy("long", &[(1, secs(60))]));
        assert!(limiter.decide(&long, client).await.unwrap().allowed());
        for _ in 0..5 {
            assert!(limiter.decide(&short, client).await.unwrap().allowed());
            assert!(!limiter.decide(&short, client).await.unwrap().allowed());
            assert!(!limiter.decide(&long, client).await.unwrap().allowed());
            harness.pass(secs(2));
        }
    }

    /// Each path of a policy has a state of its own, of users and of others.
    async fn paths_are_kept_apart(harness) {
        let (limiter, one) = (harness.rate_limiter(), policy("one", &[(1, secs(10))]));
        let at = |path| one.at_path(Fingerprint::of_path(path));
        for subject in [user(1).into(), user(17).into(), address("192.0.2.1")] {
            for policy in [one.clone(), at("/a"), at("/b")] {
                assert!(limiter.decide(&policy, subject).await.unwrap().allowed());
                assert!(!limiter.decide(&policy, subject).await.unwrap().allowed());
                assert_eq!(limiter.peek(&policy, subject).await.unwrap().retry_after(), secs(10));
            }
        }
    }

    /// A policy without windows limits nobody, and says nothing of windows.
    async fn without_windows_nobody_is_limited(harness) {
        let limiter = harness.rate_limiter();
        let none: Policy = policy("none", &[(1, secs(10))]).without_windows();
        for subject in [user(1).into(), address("192.0.2.1")] {
            for _ in 0..3 {
                let decision = limiter.decide(&none, subject).await.unwrap();
                assert!(decision.allowed() && decision.windows.is_empty());
            }
            assert!(limiter.peek(&none, subject).await.unwrap().allowed());
        }
    }

    /// Two hundred at once of one address against a quota of seven: seven are admitted.
    async fn of_two_hundred_at_once_of_one_address_a_quota_of_seven_admits_seven(harness) {
        let (limiter, seven) = (harness.rate_limiter(), policy("seven", &[(7, secs(60))]));
        let admitted = together(200, |_| {
            let (limiter, seven) = (limiter.clone(), seven.clone());
            async move { limiter.decide(&seven, address("192.0.2.1")).await.unwrap().allowed() }
        })
        .await;
        assert_eq!(admitted.iter().filter(|allowed| **allowed).count(), 7);
    }
}
