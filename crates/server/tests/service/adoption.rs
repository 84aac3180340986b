//! A process is killed before it has written its counts: another puts them into the ledger.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::time::sleep;
use tollbar_testkit::PrivateRedis;

use crate::{process::Process, support::Service, tiers::Tiers};

/// What the ledger says, once Redis is away.
async fn counted(service: &Service, expected: &Value) {
    for _ in 0..200 {
        let (_, top) = service.client.get("/top").await;
        if top["top"] == *expected && top["stale"] == true {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("not {expected}: {:?}", service.client.get("/top").await);
}

async fn a_kill_loses_no_count(postgres: bool) {
    let mut redis = PrivateRedis::start();
    let tiers = Tiers::new(postgres, false);
    let url = redis.url();
    // The first never writes by itself.
    let mut settings = vec![
        ("TOLLBAR__REDIS__URL", url.as_str()),
        ("TOLLBAR__REDIS__DEADLINE", "500ms"),
        ("TOLLBAR__DATABASE__CLAIM", "1s"),
        ("TOLLBAR__COUNTS__FLUSH", "60s"),
    ];
    let process = Process::start_with(&tiers, &[], &settings).await;
    for user in ["user1", "user2", "user3"] {
        process.client.signup(user).await;
        let token = process.client.login(user).await;
        assert_eq!(process.client.ping(&token).await.0, 200);
    }
    process.signal(Signal::SIGKILL);
    process.end().await;

    settings.pop();
    let service = Service::start(&tiers, &settings).await;
    let expected = json!([1, 2, 3].map(|id| json!({"userId": id, "calls": 1})));
    assert_eq!(service.client.get("/top").await.1["top"], expected);
    sleep(Duration::from_secs(3)).await;
    redis.kill9();
    counted(&service, &expected).await;
    redis.start_again();
    service.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_no_count_on_sqlite_and_redis() {
    a_kill_loses_no_count(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_loses_no_count_on_postgres_and_redis() {
    a_kill_loses_no_count(true).await;
}
