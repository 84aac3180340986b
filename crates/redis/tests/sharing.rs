//! Calls that wait at the same time travel together: how many trips that takes, and that nobody pays for another.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod common;

use std::time::Duration;

use common::{api, beside, connect, epoch, log_in, options, policy, trips, user};
use futures_util::future::join_all;
use tokio::time::{sleep, timeout};
use tollbar_core::{
    StoreError,
    domain::{Caller, Decision, SessionToken},
    ports::{CallTracker, Crossing, HealthCheck, OneTrip, RateLimiter},
};
use tollbar_redis::{RedisLive, RedisOptions};
use tollbar_testkit::{PrivateRedis, Proxy};

const MINUTE: Duration = Duration::from_secs(60);

/// One lane, so that every trip is a batch of all who wait.
async fn one_lane(url: &str) -> RedisLive {
    let options = RedisOptions { pool_size: 1.try_into().unwrap(), ..options(url, "tb") };
    RedisLive::connect(options).await.unwrap()
}

/// Charges one call to each of these users, all at the same moment.
async fn charge(live: &RedisLive, ids: impl IntoIterator<Item = u64>) -> Vec<Result<Decision, StoreError>> {
    let three = policy(&[(3, MINUTE)], 1);
    join_all(ids.into_iter().map(|id| live.charge(user(id), &three, epoch()))).await
}

fn later(live: &RedisLive, id: u64) -> tokio::task::JoinHandle<Result<Decision, StoreError>> {
    let live = live.clone();
    tokio::spawn(async move { live.charge(user(id), &policy(&[(3, MINUTE)], 1), epoch()).await })
}

#[tokio::test]
async fn an_idle_gate_sends_at_once_and_those_who_wait_meanwhile_share() {
    let redis = PrivateRedis::start();
    let proxy = Proxy::to_url(&redis.url());
    let live = one_lane(&proxy.url(&redis.url())).await;
    charge(&live, [99]).await;
    proxy.delay(Duration::ZERO, Duration::from_millis(100));
    let before = trips(&redis);
    let first = later(&live, 1);
    sleep(Duration::from_millis(40)).await;
    // Its answer is still on its way, but it has been sent.
    assert_eq!(trips(&redis) - before, 1);
    let others: Vec<_> = (2..=51).map(|id| later(&live, id)).collect();
    sleep(Duration::from_millis(20)).await;
    assert_eq!(trips(&redis) - before, 1, "a batch forms only while one is under way");
    first.await.unwrap().unwrap();
    for other in others {
        assert!(other.await.unwrap().unwrap().allowed());
    }
    assert_eq!(trips(&redis) - before, 2);
    live.shutdown().await;
}

#[tokio::test]
async fn a_batch_is_bounded_and_a_user_may_be_in_it_often() {
    let redis = PrivateRedis::start();
    let live = one_lane(&redis.url()).await;
    charge(&live, [99]).await;
    let before = trips(&redis);
    // Ten users with thirty calls each, of which three are admitted.
    let answers = charge(&live, (0..300).map(|index| index % 10 + 1)).await;
    assert_eq!(trips(&redis) - before, 3, "128, 128 and 44");
    assert!(answers[..30].iter().all(|answer| answer.as_ref().unwrap().allowed()));
    assert!(answers[30..].iter().all(|answer| !answer.as_ref().unwrap().allowed()));
    let top: Vec<Caller> = (1..=10).map(|id| Caller { user: user(id), calls: 3 }).collect();
    assert_eq!(live.top(&api(), 10).await.unwrap(), top);
    live.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_fails_each_of_its_callers_and_is_never_sent_again() {
    let redis = PrivateRedis::start();
    let proxy = Proxy::to_url(&redis.url());
    let live = connect(&proxy.url(&redis.url()), "tb").await;
    charge(&live, 1..=20).await;
    let before = trips(&redis);
    proxy.hold_answers();
    let lost = {
        let live = live.clone();
        tokio::spawn(async move { charge(&live, 1..=20).await })
    };
    sleep(Duration::from_millis(100)).await;
    // The connection breaks and is back long before the deadline.
    proxy.refuse();
    sleep(Duration::from_millis(50)).await;
    proxy.pass();
    for answer in lost.await.unwrap() {
        assert!(answer.unwrap_err().is_transient());
    }
    timeout(Duration::from_secs(2), async {
        while live.check().await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(trips(&redis) - before, 1);
    for id in 1..=20 {
        let peeked = live.peek(&policy(&[(3, MINUTE)], 1), user(id).into()).await.unwrap();
        assert_eq!(peeked.windows[0].remaining, 1, "of user {id}: one call before, and the lost one once");
    }
    live.shutdown().await;
}

#[tokio::test]
async fn one_bad_entry_fails_alone_and_is_not_charged() {
    let redis = PrivateRedis::start();
    let live = one_lane(&redis.url()).await;
    // Users 2 and 18 share a partition; the total of the first cannot rise.
    let member = 2_u64.to_be_bytes();
    let calls = "tb:{2}:calls:ping";
    redis::cmd("HSET").arg(calls).arg(&member).arg(i64::MAX).exec(&mut beside(&redis.url())).unwrap();
    let before = trips(&redis);
    let answers = charge(&live, [1, 2, 18, 3, 2]).await;
    // It takes an `EVAL` besides: the engine does not know the script yet.
    assert_eq!(trips(&redis) - before, 2);
    for (index, answer) in answers.into_iter().enumerate() {
        match answer {
            Ok(decision) => assert!(decision.allowed() && ![1, 4].contains(&index)),
            Err(error) => {
                assert!([1, 4].contains(&index) && !error.is_transient(), "{error:?}");
                assert!(format!("{error:?}").contains("overflow"), "{error:?}");
            }
        }
    }
    assert_eq!(live.peek(&policy(&[(3, MINUTE)], 1), user(2).into()).await.unwrap().windows[0].remaining, 3);
    live.shutdown().await;
}

#[tokio::test]
async fn an_engine_that_is_full_says_so_to_each_and_charges_none() {
    let redis = PrivateRedis::start();
    let live = one_lane(&redis.url()).await;
    charge(&live, [1]).await;
    redis.run(&["CONFIG", "SET", "maxmemory", "1"]);
    for answer in charge(&live, 1..=3).await {
        let error = answer.unwrap_err();
        assert!(error.is_transient() && format!("{error:?}").contains("OOM"), "{error:?}");
    }
    redis.run(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(live.peek(&policy(&[(3, MINUTE)], 1), user(1).into()).await.unwrap().windows[0].remaining, 2);
    live.shutdown().await;
}

/// Admits one call with each of these tokens, all at the same moment.
async fn admit(live: &RedisLive, tokens: &[&SessionToken]) -> Vec<Result<Crossing, StoreError>> {
    let three = policy(&[(3, MINUTE)], 1);
    join_all(tokens.iter().map(|token| live.admit(token, &three, epoch()))).await
}

async fn left_of(live: &RedisLive, id: u64) -> u32 {
    live.peek(&policy(&[(3, MINUTE)], 1), user(id).into()).await.unwrap().windows[0].remaining
}

/// The same for calls whose session is checked, which go another way through the script.
#[tokio::test]
async fn one_bad_admission_fails_alone_and_is_not_charged() {
    let redis = PrivateRedis::start();
    let live = one_lane(&redis.url()).await;
    let mut tokens = Vec::new();
    for id in [1, 2, 18, 3] {
        tokens.push(log_in(&live, id).await);
    }
    let nobody = log_in(&live, 4).await;
    live.drop_entry(user(4)).await.unwrap();
    let [one, bad, neighbour, three] = &tokens[..] else { unreachable!() };
    let calls = "tb:{2}:calls:ping";
    redis::cmd("HSET")
        .arg(calls)
        .arg(&2_u64.to_be_bytes())
        .arg(i64::MAX)
        .exec(&mut beside(&redis.url()))
        .unwrap();
    let before = trips(&redis);
    let answers = admit(&live, &[one, bad, &nobody, neighbour, bad, three, one]).await;
    assert_eq!(trips(&redis) - before, 2);
    for (index, answer) in answers.iter().enumerate() {
        match answer {
            Ok(Crossing::Admitted(_)) => assert!([0, 3, 5, 6].contains(&index), "{index}"),
            Ok(Crossing::Unknown) => assert_eq!(index, 2),
            Err(error) => assert!([1, 4].contains(&index) && !error.is_transient(), "{index}: {error:?}"),
            other => panic!("{index}: {other:?}"),
        }
    }
    for (id, left) in [(1, 1), (2, 3), (18, 2), (3, 2), (4, 3)] {
        assert_eq!(left_of(&live, id).await, left, "of user {id}");
    }
    live.shutdown().await;
}

#[tokio::test]
async fn an_engine_that_is_full_charges_no_admission() {
    let redis = PrivateRedis::start();
    let live = one_lane(&redis.url()).await;
    let tokens = [log_in(&live, 1).await, log_in(&live, 2).await];
    let both = || [&tokens[0], &tokens[1]];
    assert!(admit(&live, &both()).await.iter().all(Result::is_ok));
    redis.run(&["CONFIG", "SET", "maxmemory", "1"]);
    for answer in admit(&live, &both()).await {
        let error = answer.unwrap_err();
        assert!(error.is_transient() && format!("{error:?}").contains("OOM"), "{error:?}");
    }
    redis.run(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!((left_of(&live, 1).await, left_of(&live, 2).await), (2, 2));
    live.shutdown().await;
}

#[tokio::test]
async fn the_queue_is_bounded_and_who_leaves_it_is_not_sent() {
    let redis = PrivateRedis::start();
    let options = RedisOptions {
        pool_size: 1.try_into().unwrap(),
        max_in_flight: 3.try_into().unwrap(),
        ..options(&redis.url(), "tb")
    };
    let live = RedisLive::connect(options).await.unwrap();
    charge(&live, [99]).await;
    redis.pause();
    let first = later(&live, 1);
    sleep(Duration::from_millis(30)).await;
    let waiting: Vec<_> = (2..=4).map(|id| later(&live, id)).collect();
    sleep(Duration::from_millis(30)).await;
    let refused =
        timeout(Duration::from_millis(20), live.charge(user(5), &policy(&[(3, MINUTE)], 1), epoch())).await;
    let refused = refused.expect("at once").unwrap_err();
    assert!(refused.is_transient() && format!("{refused:?}").contains("too many callers"), "{refused:?}");
    let [leaves, leaves_too, stays] = <[_; 3]>::try_from(waiting).unwrap();
    leaves.abort();
    leaves_too.abort();
    sleep(Duration::from_millis(10)).await;
    redis.resume();
    assert!(first.await.unwrap().unwrap().allowed());
    assert!(stays.await.unwrap().unwrap().allowed());
    for (id, remaining) in [(1, 2), (2, 3), (3, 3), (4, 2), (5, 3)] {
        let peeked = live.peek(&policy(&[(3, MINUTE)], 1), user(id).into()).await.unwrap();
        assert_eq!(peeked.windows[0].remaining, remaining, "of user {id}");
    }
    live.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_caller_of_a_hung_engine_hears_within_its_own_deadline() {
    let redis = PrivateRedis::start();
    let deadline = Duration::from_millis(200);
    let live = RedisLive::connect(RedisOptions { deadline, ..options(&redis.url(), "tb") }).await.unwrap();
    charge(&live, [99]).await;
    redis.pause();
    let mut callers = Vec::new();
    for id in 1..=12 {
        let live = live.clone();
        // A later caller waits behind a batch that is under way.
        callers.push(tokio::spawn(async move {
            let limit = deadline + Duration::from_millis(60);
            timeout(limit, live.charge(user(id), &policy(&[(3, MINUTE)], 1), epoch())).await
        }));
        sleep(Duration::from_millis(30)).await;
    }
    for caller in callers {
        let answer = caller.await.unwrap().expect("within the deadline");
        assert!(answer.unwrap_err().is_transient());
    }
    redis.resume();
    timeout(Duration::from_secs(2), async {
        while live.charge(user(50), &policy(&[(3, MINUTE)], 1), epoch()).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    live.shutdown().await;
}

#[tokio::test]
async fn an_engine_that_forgets_the_script_is_told_it_again() {
    let redis = PrivateRedis::start();
    let live = one_lane(&redis.url()).await;
    for _ in 0..3 {
        redis.run(&["SCRIPT", "FLUSH"]);
        assert!(charge(&live, 1..=5).await.iter().all(|answer| answer.as_ref().unwrap().allowed()));
    }
    live.shutdown().await;
}
