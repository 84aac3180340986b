//! Calls from other runtimes than the one that holds the connections, as the workers of a web server make them.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod common;

use std::{task::Poll, time::Duration};

use common::{api, connect, epoch, options, policy, user};
use tollbar_core::ports::{CallTracker, OneTrip};
use tollbar_redis::{RedisLive, RedisOptions};
use tollbar_testkit::PrivateRedis;

/// How many connections clients have to this engine, but for the one that asks.
fn connections(redis: &PrivateRedis) -> usize {
    let list: String = redis::cmd("CLIENT").arg("LIST").query(&mut common::beside(&redis.url())).unwrap();
    list.lines().count() - 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_worker_that_ends_takes_no_connection_along() {
    let redis = PrivateRedis::start();
    let live = connect(&redis.url(), "tb").await;
    for round in 1..=6 {
        let worker = live.clone();
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { worker.record(&api(), user(1), epoch()).await.unwrap() });
        });
        tokio::task::spawn_blocking(|| ended.join().unwrap()).await.unwrap();
        assert_eq!(live.top(&api(), 1).await.unwrap()[0].calls, round);
    }
    live.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_worker_has_a_connection_of_its_own_and_others_go_on_without_it() {
    let redis = PrivateRedis::start();
    // One lane: each worker comes upon the connection that the first one has left.
    let options = RedisOptions { pool_size: 1.try_into().unwrap(), ..options(&redis.url(), "tb") };
    let live = RedisLive::connect(options).await.unwrap();
    let many = policy(&[(100, Duration::from_secs(60))], 1);
    assert!(live.charge(user(1), &many, epoch()).await.unwrap().allowed());
    let shared = connections(&redis);
    for round in 0..3 {
        let (worker, limit) = (live.clone(), many.clone());
        let url = redis.url();
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                for _ in 0..5 {
                    assert!(worker.charge(user(1), &limit, epoch()).await.unwrap().allowed());
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                let list: String = redis::cmd("CLIENT").arg("LIST").query(&mut common::beside(&url)).unwrap();
                list.lines().count() - 1
            })
        });
        let meanwhile = tokio::task::spawn_blocking(|| ended.join().unwrap()).await.unwrap();
        assert_eq!(meanwhile, shared + usize::from(round == 0));
        // The engine sees a connection end a moment later.
        let gone = async {
            while connections(&redis) != shared {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(2), gone).await.expect("it ends with its worker");
        assert!(live.charge(user(1), &many, epoch()).await.unwrap().allowed());
    }
    assert_eq!(live.top(&api(), 1).await.unwrap()[0].calls, 1 + 3 * 6);
    live.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_runtime_that_ends_before_a_batch_begins_leaves_its_lane_free() {
    let redis = PrivateRedis::start();
    let options = RedisOptions { pool_size: 1.try_into().unwrap(), ..options(&redis.url(), "tb") };
    let live = RedisLive::connect(options).await.unwrap();
    let many = policy(&[(100, Duration::from_secs(60))], 1);
    let (worker, limit) = (live.clone(), many.clone());
    let ended = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            // Polled once: the call is queued, and the task that would send it has not begun.
            let mut call = std::pin::pin!(worker.charge(user(1), &limit, epoch()));
            assert!(std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending())).await);
        });
    });
    tokio::task::spawn_blocking(|| ended.join().unwrap()).await.unwrap();
    assert!(live.charge(user(1), &many, epoch()).await.unwrap().allowed());
    live.shutdown().await;
}
