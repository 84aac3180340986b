//! Live counts that lack calls which the ledger has: whoever asks any process is told of the ledger, until they are raised.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};
use tokio::time::sleep;
use tollbar_testkit::{PrivateRedis, Proxy};

use crate::{
    support::{Client, Service},
    tiers::Tiers,
};

/// Without Redis, `/ping` limits nobody.
const OPEN: &str = r#"[[policies]]
name = "ping"
path = "/ping"
windows = [{ quota = 1, period = "5s" }, { quota = 2, period = "1m" }]
on_outage = "open"
"#;

/// The answer of `/top`, once it is as it should be.
async fn top(client: &Client, calls: u64, stale: bool) {
    let mut answer = Value::Null;
    for _ in 0..100 {
        answer = client.get("/top").await.1;
        let is_stale = answer.get("stale").is_some();
        if answer["top"] == json!([{"userId": 1, "calls": calls}]) && is_stale == stale {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("not {calls} calls, stale: {stale}: {answer}");
}

/// As they are by now: a look at the tiers is told for a quarter of a second.
async fn dependencies(client: &Client) -> Value {
    sleep(Duration::from_millis(300)).await;
    client.get("/readyz").await.1["dependencies"].take()
}

/// A configuration file with that policy.
fn open_ping(tiers: &Tiers) -> PathBuf {
    let file = tiers.folder.path().join("open.toml");
    std::fs::write(&file, OPEN).unwrap();
    file
}

/// Two processes on one database and one Redis, to which one of them has a link that can be broken. What they stand on comes last.
async fn two() -> (Service, Service, Proxy, (Tiers, PrivateRedis)) {
    let (redis, tiers) = (PrivateRedis::start(), Tiers::new(true, false));
    let (file, link) = (open_ping(&tiers), Proxy::to_url(&redis.url()));
    let start = async |url: &str| {
        let settings = [("TOLLBAR__REDIS__URL", url), ("TOLLBAR__DATABASE__CLAIM", "2s")];
        Service::start_by(&tiers, &file, &settings).await
    };
    let (one, other) = (start(&link.url(&redis.url())).await, start(&redis.url()).await);
    one.client.signup("user1").await;
    (one, other, link, (tiers, redis))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_processes_know_of_one_that_is_cut_off() {
    let (one, other, link, _engines) = two().await;
    let token = one.client.login("user1").await;
    assert_eq!(one.client.ping(&token).await.0, 200);
    top(&other.client, 1, false).await;

    link.refuse();
    for _ in 0..3 {
        assert_eq!(one.client.ping(&token).await.0, 200);
    }
    top(&one.client, 4, true).await;
    top(&other.client, 4, true).await;
    assert_eq!(dependencies(&other.client).await, json!({"postgres": "up", "redis": "up"}));
    link.pass();
    for client in [&one.client, &other.client] {
        top(client, 4, false).await;
    }
    for service in [one, other] {
        service.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_ends_while_it_is_cut_off_leaves_it_to_another() {
    let (one, other, link, _engines) = two().await;
    let token = one.client.login("user1").await;
    link.refuse();
    assert_eq!(one.client.ping(&token).await.0, 200);
    one.stop().await.unwrap();
    // Redis, which lost nothing, never hears of that call but by the other process, which knows of it before it can tell.
    top(&other.client, 1, true).await;
    top(&other.client, 1, false).await;
    other.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_takes_no_writes_is_down_and_its_board_is_stale() {
    let (redis, tiers) = (PrivateRedis::start(), Tiers::new(false, false));
    let file = open_ping(&tiers);
    let url = redis.url();
    let service = Service::start_by(&tiers, &file, &[("TOLLBAR__REDIS__URL", &url)]).await;
    let client = &service.client;
    client.signup("user1").await;
    let token = client.login("user1").await;
    for (calls, (on, off)) in (1..).zip([
        (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]),
        (["CONFIG", "SET", "min-replicas-to-write", "1"], ["CONFIG", "SET", "min-replicas-to-write", "0"]),
    ]) {
        redis.run(&on);
        assert_eq!(client.ping(&token).await.0, 200);
        top(client, calls, true).await;
        // A look at the tiers is told for a quarter of a second.
        sleep(Duration::from_millis(300)).await;
        let (status, ready) = client.get("/readyz").await;
        assert_eq!((status, &ready["status"]), (200, &json!("degraded")));
        assert_eq!(ready["dependencies"], json!({"redis": "down", "sqlite": "up"}));
        redis.run(&off);
        top(client, calls, false).await;
        assert_eq!(dependencies(client).await, json!({"redis": "up", "sqlite": "up"}));
    }
    service.stop().await.unwrap();
}
