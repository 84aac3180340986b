//! Redis goes away and comes back: what can be served is, what cannot is 503.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::time::sleep;
use tollbar_testkit::PrivateRedis;

use crate::{support::Service, tiers::Tiers};

async fn until_ready(service: &Service) {
    for _ in 0..200 {
        if service.client.get("/readyz").await.1["status"] == "ready" {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("Redis is back, and the service does not notice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logins_go_on_and_pings_are_503() {
    let mut redis = PrivateRedis::options().append_only().start();
    let tiers = Tiers::new(false, false);
    let url = redis.url();
    let settings = [("TOLLBAR__REDIS__URL", url.as_str()), ("TOLLBAR__REDIS__DEADLINE", "500ms")];
    let service = Service::start(&tiers, &settings).await;
    let client = &service.client;
    client.signup("user1").await;
    let token = client.login("user1").await;
    assert_eq!(client.ping(&token).await.0, 200);

    redis.kill9();
    let refused = client.send(Method::GET, "/ping", Some(&token)).await;
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (503, &"1".parse().unwrap()));
    // The ledger tells, once it has the call.
    for _ in 0..100 {
        if client.get("/count").await.1 == json!({"estimatedCount": 1, "stale": true}) {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    let (status, top) = client.get("/top").await;
    assert_eq!((status, &top["top"]), (200, &json!([{"userId": 1, "calls": 1}])));
    assert_eq!(top["stale"], true);
    let (status, ready) = client.get("/readyz").await;
    assert_eq!((status, &ready["status"]), (200, &json!("degraded")));
    assert_eq!(ready["dependencies"], json!({"redis": "down", "sqlite": "up"}));
    client.signup("user2").await;
    let token = client.login("user2").await;
    assert_eq!(client.logout(&token).await.0, 204);
    let token = client.login("user2").await;

    redis.start_again();
    until_ready(&service).await;
    assert_eq!(client.ping(&token).await.0, 200);
    // The ledger tells until the board has been raised.
    for _ in 0..100 {
        if client.get("/top").await.1.get("stale").is_none() {
            return service.stop().await.unwrap();
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("still stale: {:?}", client.get("/top").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_without_redis_is_degraded_and_raises_the_board_later() {
    let mut redis = PrivateRedis::start();
    let tiers = Tiers::new(false, false);
    let url = redis.url();
    let settings = [("TOLLBAR__REDIS__URL", url.as_str()), ("TOLLBAR__REDIS__DEADLINE", "500ms")];
    let service = Service::start(&tiers, &settings).await;
    service.client.signup("user1").await;
    let token = service.client.login("user1").await;
    assert_eq!(service.client.ping(&token).await.0, 200);
    service.stop().await.unwrap();

    redis.kill9();
    let service = Service::start(&tiers, &settings).await;
    assert_eq!(service.client.get("/readyz").await.1["status"], "degraded");
    // It comes back with nothing: it kept all in memory.
    redis.start_again();
    until_ready(&service).await;
    for _ in 0..100 {
        if service.client.get("/top").await.1["top"] == json!([{"userId": 1, "calls": 1}]) {
            return service.stop().await.unwrap();
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the board was not raised: {:?}", service.client.get("/top").await);
}
