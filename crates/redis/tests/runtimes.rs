//! Calls from other runtimes than the one that holds the connections, as the workers of a web server make them.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod common;

use common::{api, connect, user};
use tollbar_core::ports::CallTracker;
use tollbar_testkit::PrivateRedis;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_worker_that_ends_takes_no_connection_along() {
    let redis = PrivateRedis::start();
    let live = connect(&redis.url(), "tb").await;
    for round in 1..=6 {
        let worker = live.clone();
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { worker.record(&api(), user(1)).await.unwrap() });
        });
        tokio::task::spawn_blocking(|| ended.join().unwrap()).await.unwrap();
        assert_eq!(live.top(&api(), 1).await.unwrap()[0].calls, round);
    }
    live.shutdown().await;
}
