//! Redis that comes back empty while the service runs: what was counted is there again after the next call.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;
use tollbar_testkit::PrivateRedis;

use crate::{support::Service, tiers::Tiers};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_come_back_also_of_those_who_do_not_call_again() {
    let (redis, tiers) = (PrivateRedis::start(), Tiers::embedded());
    let settings = [
        ("TOLLBAR__REDIS__URL", redis.url()),
        ("TOLLBAR__REDIS__DEADLINE", "2s".to_owned()),
        ("TOLLBAR__COUNTS__FLUSH", "50ms".to_owned()),
    ];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let service = Service::start(&tiers, &settings).await;
    let client = &service.client;
    let call = async |name: &str| {
        client.signup(name).await;
        assert_eq!(client.ping(&client.login(name).await).await.0, 200);
    };
    for name in ["ada", "bob", "cleo"] {
        call(name).await;
    }
    assert_eq!(client.get("/count").await.1, json!({"estimatedCount": 3}));
    redis.run(&["FLUSHALL"]);
    call("dora").await;
    let all: Vec<_> = (1..=4).map(|id| json!({"userId": id, "calls": 1})).collect();
    for _ in 0..100 {
        let (top, count) = (client.get("/top").await.1, client.get("/count").await.1);
        if top["top"] == json!(all) && count == json!({"estimatedCount": 4}) {
            return service.stop().await.unwrap();
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the counts do not come back: {}", client.get("/top").await.1);
}
