//! A primary that sentinels name: when another takes over, calls go there, and not back.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod common;

use std::time::Duration;

use common::{api, connect, epoch, policy, runs, up_within, user, with_sentinel_password};
use tokio::{
    task::spawn_blocking,
    time::{sleep, timeout},
};
use tollbar_core::ports::{CallTracker, RateLimiter};
use tollbar_redis::RedisLive;
use tollbar_testkit::PrivateSentinels;

const MINUTE: Duration = Duration::from_secs(60);

/// Calls without a pause until they are served, all errors being such as pass.
async fn served(live: &RedisLive) {
    let served = async {
        while let Err(error) = live.decide(&policy(&[(10_000, MINUTE)], 1), user(3).into()).await {
            assert!(error.is_transient(), "{error:?}");
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_millis(1_500), served).await.expect("served soon after the promotion");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_takes_over_is_followed_and_its_predecessor_forgotten() {
    let mut all = PrivateSentinels::start();
    let live = connect(&with_sentinel_password(&all.url()), "tb").await;
    live.record(&api(), user(1), epoch()).await.unwrap();
    let traffic = {
        let live = live.clone();
        tokio::spawn(async move {
            let many = policy(&[(10_000, MINUTE)], 1);
            let mut served = 0;
            for _ in 0..1_000 {
                match live.decide(&many, user(2).into()).await {
                    Ok(_) => served += 1,
                    Err(error) => assert!(error.is_transient(), "{error:?}"),
                }
                sleep(Duration::from_millis(5)).await;
            }
            served
        })
    };
    let (mut all, dead) = spawn_blocking(move || {
        let dead = all.kill_primary();
        all.wait_for_another(dead);
        (all, dead)
    })
    .await
    .unwrap();
    served(&live).await;
    all.start_again(dead);
    let all = spawn_blocking(move || {
        all.wait_until_follows(dead);
        all
    })
    .await
    .unwrap();
    assert!(traffic.await.unwrap() > 300, "calls were served before and after");
    served(&live).await;
    for command in ["evalsha", "eval"] {
        assert_eq!(runs(&all.servers()[dead], command), 0, "nobody asks the old one");
    }
    live.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_known_sentinel_tells_of_the_others() {
    let mut all = PrivateSentinels::start();
    let url = with_sentinel_password(&all.url());
    let only_first: Vec<&str> = url.split('&').filter(|part| !part.starts_with("node=")).collect();
    let live = connect(&only_first.join("&"), "tb").await;
    up_within(Duration::from_secs(1), &live).await;
    all.kill_sentinel(0);
    let all = spawn_blocking(move || {
        let dead = all.kill_primary();
        all.wait_for_another(dead);
        all
    })
    .await
    .unwrap();
    served(&live).await;
    live.shutdown().await;
    drop(all);
}

/// A hand-over without a fault, while calls go on: an old primary refuses writes before the sentinels name the new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_hands_over_is_left() {
    let all = PrivateSentinels::start();
    let live = connect(&with_sentinel_password(&all.url()), "tb").await;
    served(&live).await;
    let all = spawn_blocking(move || {
        all.fail_over();
        all
    })
    .await
    .unwrap();
    served(&live).await;
    live.shutdown().await;
    drop(all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_is_away_at_the_start_is_replaced() {
    let mut all = PrivateSentinels::start();
    let dead = all.kill_primary();
    let live =
        timeout(Duration::from_secs(1), connect(&with_sentinel_password(&all.url()), "tb")).await.unwrap();
    let refused = timeout(Duration::from_millis(50), live.record(&api(), user(1), epoch())).await;
    assert!(refused.expect("at once").unwrap_err().is_transient());
    let all = spawn_blocking(move || {
        all.wait_for_another(dead);
        all
    })
    .await
    .unwrap();
    served(&live).await;
    live.shutdown().await;
    drop(all);
}
