//! What became of calls over time: told by every process, and kept through restarts and the loss of Redis.

use std::time::Duration;

use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::sleep;
use tollbar_testkit::PrivateRedis;

use crate::{
    process::Process,
    support::{Client, Service},
    tiers::Tiers,
};

/// The sum of all outcomes of today, once it is as it should be.
async fn outcomes(client: &Client, expected: &Value) {
    let mut sums = Value::Null;
    for _ in 0..200 {
        let (status, answer) = client.get("/calls?window=30d&step=day").await;
        assert_eq!(status, 200, "{answer}");
        let points = answer["points"].as_array().unwrap();
        // A test may run over midnight.
        let sum = |name: &str| points.iter().map(|point| point[name].as_u64().unwrap()).sum::<u64>();
        sums = json!({
            "admitted": sum("admitted"), "limited": sum("limited"), "repeated": sum("repeated"), "refused": sum("refused")
        });
        if sums == *expected {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("not {expected}: {sums}");
}

/// Two calls that are admitted, of two users; two more of the first that are limited, once from memory; one that is refused, and one without a token.
async fn call(client: &Client) {
    for name in ["user1", "user2"] {
        client.signup(name).await;
    }
    let (one, two) = (client.login("user1").await, client.login("user2").await);
    let statuses = [&*one, &one, &one, &two, "tbs_x"].map(|token| client.ping(token));
    let mut told = Vec::new();
    for status in statuses {
        told.push(status.await.0);
    }
    assert_eq!(told, [200, 429, 429, 200, 401]);
    assert_eq!(client.send(Method::GET, "/ping", None).await.status(), 401);
}

async fn kill(process: Process) {
    process.signal(Signal::SIGKILL);
    assert_eq!(process.end().await.0, None);
}

fn all() -> Value {
    json!({"admitted": 2, "limited": 2, "repeated": 1, "refused": 2})
}

const WINDOWS: [&str; 5] = ["today", "24h", "7d", "30d", "all"];

async fn windows(client: &Client, of: &[&str]) {
    for window in of {
        let top = client.get(&format!("/top?api=ping&window={window}")).await.1;
        assert_eq!(top["top"], json!([{"userId": 1, "calls": 1}, {"userId": 2, "calls": 1}]), "{window}");
        let limited = client.get(&format!("/top?window={window}&by=limited&limit=1")).await.1;
        assert_eq!(limited["top"], json!([{"userId": 1, "calls": 2}]), "{window}");
        let count = client.get(&format!("/count?window={window}")).await.1;
        assert_eq!(count["estimatedCount"], 2, "{window}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_are_told_on_every_pair_of_tiers_and_after_a_restart() {
    for (postgres, redis) in [(false, false), (false, true), (true, false), (true, true)] {
        let tiers = Tiers::new(postgres, redis);
        let service = Service::start(&tiers, &[]).await;
        call(&service.client).await;
        outcomes(&service.client, &all()).await;
        windows(&service.client, &WINDOWS).await;
        service.stop().await.unwrap();
        let service = Service::start(&tiers, &[]).await;
        outcomes(&service.client, &all()).await;
        windows(&service.client, &WINDOWS).await;
        service.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_do_not_need_redis() {
    let (mut redis, tiers) = (PrivateRedis::start(), Tiers::new(true, false));
    let url = redis.url();
    let service = Service::start(&tiers, &[("TOLLBAR__REDIS__URL", &url)]).await;
    call(&service.client).await;
    outcomes(&service.client, &all()).await;
    redis.run(&["FLUSHALL"]);
    // Of all time, the live tier tells who called, and is raised again only once its loss is seen.
    windows(&service.client, &WINDOWS[..4]).await;
    redis.kill9();
    windows(&service.client, &WINDOWS).await;
    outcomes(&service.client, &all()).await;
    service.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_process_admitted_is_told_once() {
    let tiers = Tiers::new(true, true);
    let settings = [("TOLLBAR__COUNTS__FLUSH", "60s")];
    let (one, other) = (Process::start(&tiers, &settings).await, Process::start(&tiers, &[]).await);
    call(&one.client).await;
    kill(one).await;
    // Those whom it turned away died with it.
    outcomes(&other.client, &json!({"admitted": 2, "limited": 0, "repeated": 0, "refused": 0})).await;
    let top = other.client.get("/top?window=today").await.1;
    assert_eq!(top["top"], json!([{"userId": 1, "calls": 1}, {"userId": 2, "calls": 1}]));
    kill(other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_every_call_is_written_first_the_last_second_is_told_with_the_end() {
    let tiers = Tiers::embedded();
    let settings = [("TOLLBAR__COUNTS__FLUSH", "0s")];
    let service = Service::start(&tiers, &settings).await;
    call(&service.client).await;
    // Of the calls since the first, it is told once a second.
    service.stop().await.unwrap();
    let service = Service::start(&tiers, &settings).await;
    outcomes(&service.client, &all()).await;
    windows(&service.client, &WINDOWS).await;
    service.stop().await.unwrap();
}
