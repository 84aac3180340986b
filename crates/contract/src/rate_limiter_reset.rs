//! What a [`RateLimiter`] promises of a reset: the whole quota back, and nothing else.

use std::{net::IpAddr, sync::Arc};

use tollbar_core::{
    domain::{Fingerprint, Policy, Subject},
    ports::{RateLimiter, WhichLimits},
};

use crate::{
    RateLimiterHarness,
    rate_limiter::{policy, secs, user},
    rate_limiter_gcra::buckets,
    together,
};

const ALL: WhichLimits = WhichLimits { policy: None, paths: true };

fn of(policy: &Policy, paths: bool) -> WhichLimits {
    WhichLimits { policy: Some(policy.name().clone()), paths }
}

fn subjects() -> [Subject; 3] {
    let address = "192.0.2.1".parse::<IpAddr>().unwrap();
    [user(1).into(), Subject::address(address), Subject::header("x-api-key", Some(b"1"))]
}

/// Charges a call, and says whether it was admitted.
async fn call(limiter: &Arc<dyn RateLimiter>, policy: &Policy, subject: Subject) -> bool {
    limiter.decide(policy, subject).await.unwrap().allowed()
}

suite! {
    ($) rate_limiter_reset_suite, rate_limiter_reset, RateLimiterHarness;

    /// Whoever was limited has the whole quota again, and no more than that.
    async fn a_reset_gives_the_whole_quota_back(harness) {
        let limiter = harness.rate_limiter();
        let policies = [policy("two", &[(2, secs(60))]), buckets("bucket", &[(2, secs(60))])];
        for subject in subjects() {
            for which in [ALL, WhichLimits::default()] {
                for allowed in [true, true, false] {
                    for policy in &policies {
                        assert_eq!(call(&limiter, policy, subject).await, allowed);
                    }
                }
                assert_eq!(limiter.reset(subject, &which).await.unwrap(), 2, "{subject:?}");
                assert_eq!(limiter.reset(subject, &which).await.unwrap(), 0, "there is nothing left to reset");
                for policy in &policies {
                    let peeked = limiter.peek(policy, subject).await.unwrap();
                    assert_eq!((peeked.windows[0].remaining, peeked.windows[0].reset_after), (2, secs(0)));
                }
            }
        }
    }

    /// A reset of one policy leaves the others, a reset of one subject leaves everybody else.
    async fn a_reset_is_of_one_subject_and_of_the_policy_that_is_named(harness) {
        let limiter = harness.rate_limiter();
        let policies = [
            policy("one", &[(1, secs(60))]),
            policy("one.x", &[(1, secs(60))]),
            policy("on", &[(1, secs(60))]),
            buckets("bucket", &[(1, secs(60))]),
        ];
        let all: Vec<Subject> = subjects().into_iter().chain([user(17).into(), user(33).into()]).collect();
        for subject in &all {
            for policy in &policies {
                assert!(call(&limiter, policy, *subject).await);
            }
        }
        for subject in subjects() {
            for (at, policy) in policies.iter().enumerate() {
                assert_eq!(limiter.reset(subject, &of(policy, at % 2 == 0)).await.unwrap(), 1);
                for (other_at, other) in policies.iter().enumerate() {
                    let allowed = limiter.peek(other, subject).await.unwrap().allowed();
                    assert_eq!(allowed, other_at <= at, "{:?} after {:?}", other.name(), policy.name());
                }
            }
        }
        for other in &all[3..] {
            for policy in &policies {
                assert!(!call(&limiter, policy, *other).await, "{other:?}");
            }
        }
        let unknown = policy("unknown", &[(1, secs(60))]);
        assert_eq!(limiter.reset(all[3], &of(&unknown, true)).await.unwrap(), 0);
    }

    /// A policy that has changed its algorithm is reset under its name.
    async fn a_reset_heeds_the_name_and_not_the_algorithm(harness) {
        let limiter = harness.rate_limiter();
        let (exact, bucket) = (policy("same", &[(1, secs(60))]), buckets("same", &[(1, secs(60))]));
        assert!(call(&limiter, &exact, user(1).into()).await && call(&limiter, &bucket, user(1).into()).await);
        assert_eq!(limiter.reset(user(1).into(), &of(&exact, false)).await.unwrap(), 2);
        assert!(call(&limiter, &exact, user(1).into()).await && call(&limiter, &bucket, user(1).into()).await);
    }

    /// Limits of single paths are reset where that is asked for, those of one subject among many.
    async fn limits_of_single_paths_are_reset_where_that_is_asked_for(harness) {
        let limiter = harness.rate_limiter();
        let (one, other) = (policy("one", &[(1, secs(60))]), policy("other", &[(1, secs(60))]));
        let at = |policy: &Policy, number: u32| policy.at_path(Fingerprint::of_path(&format!("/{number}")));
        let neighbours: [Subject; 5] = [user(17).into(), user(1).into(), user(113).into(), user(65).into(), subjects()[1]];
        for subject in neighbours {
            for number in 0..30 {
                assert!(call(&limiter, &at(&one, number), subject).await);
            }
            assert!(call(&limiter, &at(&other, 0), subject).await && call(&limiter, &one, subject).await);
        }
        for subject in [user(1).into(), subjects()[1]] {
            assert_eq!(limiter.reset(subject, &of(&one, false)).await.unwrap(), 1, "without paths");
            assert!(!call(&limiter, &at(&one, 0), subject).await);
            assert_eq!(limiter.reset(subject, &of(&one, true)).await.unwrap(), 30);
            assert!(!call(&limiter, &at(&other, 0), subject).await, "another policy's path");
            for number in 0..30 {
                assert!(call(&limiter, &at(&one, number), subject).await, "path {number}");
            }
            assert_eq!(limiter.reset(subject, &ALL).await.unwrap(), 31);
        }
        for subject in [user(17).into(), user(113).into(), user(65).into()] {
            assert!(!call(&limiter, &at(&one, 29), subject).await, "{subject:?}");
        }
    }

    /// What has come to mean nothing is not counted as reset.
    async fn what_is_spent_is_not_counted(harness) {
        let limiter = harness.rate_limiter();
        let (short, long) = (policy("short", &[(1, secs(1))]), policy("long", &[(1, secs(60))]));
        assert!(call(&limiter, &short, user(1).into()).await && call(&limiter, &long, user(1).into()).await);
        harness.pass(secs(1));
        assert_eq!(limiter.reset(user(1).into(), &ALL).await.unwrap(), 1);
    }

    /// Beside calls under way, a reset gives at most one more quota.
    async fn a_reset_beside_calls_gives_one_more_quota(harness) {
        let (limiter, seven) = (harness.rate_limiter(), policy("seven", &[(7, secs(60))]));
        let admitted = together(201, |index| {
            let (limiter, seven) = (limiter.clone(), seven.clone());
            async move {
                if index == 100 {
                    limiter.reset(user(1).into(), &ALL).await.unwrap();
                    return false;
                }
                call(&limiter, &seven, user(1).into()).await
            }
        })
        .await;
        let admitted = admitted.into_iter().filter(|allowed| *allowed).count();
        assert!((7..=14).contains(&admitted), "{admitted}");
    }
}
