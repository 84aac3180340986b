//! The binary on a cluster and on a primary that sentinels name, with a failover while it serves.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::{task::spawn_blocking, time::sleep};
use tollbar_testkit::{PrivateCluster, PrivateSentinels};

use crate::{process::Process, tiers::Tiers};

/// Pings until it is admitted, which a window of five seconds may delay; meanwhile it is told so, or to come again.
async fn until_admitted(process: &Process, token: &str) {
    for _ in 0..200 {
        match process.client.ping(token).await.0 {
            200 => return,
            429 | 503 => sleep(Duration::from_millis(50)).await,
            other => panic!("{other}"),
        }
    }
    panic!("it is not served after the failover");
}

async fn until_ready(process: &Process) {
    for _ in 0..100 {
        let (_, ready) = process.client.get("/readyz").await;
        if ready["status"] == "ready" {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("it is not ready after the failover");
}

/// Until the board shows these users with a call or more, and is no makeshift.
async fn until_all_are_shown(process: &Process, users: &[u64]) {
    let mut top = Value::Null;
    for _ in 0..100 {
        top = process.client.get("/top").await.1;
        let shown = |user: &u64| {
            let mut places = top["top"].as_array().unwrap().iter();
            places.any(|place| place["userId"] == *user && place["calls"].as_u64() > Some(0))
        };
        if users.iter().all(shown) && top.get("stale").is_none() {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("not {users:?}: {top}");
}

/// The service on this Redis; what it stands on lives as long as the tiers that are given back.
async fn start(url: String) -> (Tiers, Process, String) {
    let tiers = Tiers::embedded();
    let settings = [("TOLLBAR__REDIS__URL", url.as_str()), ("TOLLBAR__REDIS__DEADLINE", "500ms")];
    let process = Process::start(&tiers, &settings).await;
    (tiers, process, url)
}

/// Its sentinels ask for the password of the servers.
fn with_sentinel_password(url: &str) -> String {
    format!("{url}&sentinel_password={}", password(url))
}

fn password(url: &str) -> &str {
    url.split_once('@').unwrap().0.rsplit_once(':').unwrap().1
}

/// It ends in order, and has told nobody the password.
async fn ends_well(process: Process, url: &str) {
    let secret = password(url);
    process.signal(Signal::SIGTERM);
    let (code, log, said) = process.end().await;
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert!(log.iter().all(|line| !line.contains(secret)), "the password is in the log");
    assert!(log.iter().any(|line| line.contains("no connection to redis")), "the failover is in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_is_served_on_while_a_replica_takes_over() {
    let mut cluster = PrivateCluster::options().replicas().start();
    let (_tiers, process, url) = start(cluster.url()).await;
    let node_of = |cluster: &PrivateCluster, user: usize| {
        cluster.node_of(cluster.slot_of(&format!("tb:{{{}}}:{user}", user % 16)))
    };
    let dead = node_of(&cluster, 1);
    let elsewhere = (2..=12).find(|user| node_of(&cluster, *user) != dead).unwrap();
    let mut tokens = Vec::new();
    for user in 1..=elsewhere {
        process.client.signup(&format!("user{user}")).await;
        tokens.push(process.client.login(&format!("user{user}")).await);
    }
    assert_eq!(process.client.ping(&tokens[0]).await.0, 200);

    cluster.kill9(dead);
    assert_eq!(process.client.ping(&tokens[elsewhere - 1]).await.0, 200, "others have nothing to do with it");
    let cluster = spawn_blocking(move || {
        cluster.node_of(cluster.slot_of("tb:{1}:1"));
        cluster
    })
    .await
    .unwrap();
    until_ready(&process).await;
    let token = process.client.login("user1").await;
    until_admitted(&process, &token).await;
    let (_, top) = process.client.get("/top").await;
    assert_eq!(top["top"][0], json!({"userId": 1, "calls": 2}));
    ends_well(process, &url).await;
    drop(cluster);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_sentinels_name_is_followed() {
    let mut all = PrivateSentinels::start();
    let (_tiers, process, url) = start(with_sentinel_password(&all.url())).await;
    process.client.signup("user1").await;
    let token = process.client.login("user1").await;
    assert_eq!(process.client.ping(&token).await.0, 200);
    let all = spawn_blocking(move || {
        let dead = all.kill_primary();
        all.wait_for_another(dead);
        all
    })
    .await
    .unwrap();
    until_ready(&process).await;
    let token = process.client.login("user1").await;
    until_admitted(&process, &token).await;
    ends_well(process, &url).await;
    drop(all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_a_lagging_replica_still_holds_is_dead_after_it_took_over() {
    let all = PrivateSentinels::start();
    let (_tiers, process, url) = start(with_sentinel_password(&all.url())).await;
    process.client.signup("user1").await;
    let token = process.client.login("user1").await;
    assert_eq!(process.client.ping(&token).await.0, 200);
    // What it has so far is all that it gets: its password is no longer the primary's.
    let (primary, all) = spawn_blocking(move || {
        let (primary, replica) = (&all.servers()[0], &all.servers()[1]);
        assert_eq!(primary.run(&["WAIT", "1", "5000"]), redis::Value::Int(1));
        replica.run(&["CONFIG", "SET", "masterauth", "another"]);
        primary.run(&["CLIENT", "KILL", "TYPE", "replica"]);
        (all.primary(), all)
    })
    .await
    .unwrap();
    assert_eq!(primary, 0);
    process.client.signup("user2").await;
    let unheard = process.client.login("user2").await;
    assert_eq!(process.client.ping(&unheard).await.0, 200);
    assert_eq!(process.client.logout(&token).await.0, 204);
    assert_eq!(process.client.ping(&token).await.0, 401);
    let all = spawn_blocking(move || {
        let mut all = all;
        let dead = all.kill_primary();
        let another = all.wait_for_another(dead);
        assert_eq!(all.servers()[another].run(&["EXISTS", "tb:{1}:1"]), redis::Value::Int(1), "it lags");
        all
    })
    .await
    .unwrap();
    until_ready(&process).await;
    until_all_are_shown(&process, &[1, 2]).await;
    assert_eq!(process.client.ping(&token).await.0, 401);
    let token = process.client.login("user1").await;
    until_admitted(&process, &token).await;
    ends_well(process, &url).await;
    drop(all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_moves_under_traffic_takes_sessions_and_counts_along() {
    let cluster = PrivateCluster::start();
    let (_tiers, process, _) = start(cluster.url()).await;
    let mut tokens = Vec::new();
    for user in 1..=33 {
        process.client.signup(&format!("user{user}")).await;
        tokens.push(process.client.login(&format!("user{user}")).await);
    }
    assert_eq!(process.client.ping(&tokens[0]).await.0, 200);
    let slot = cluster.slot_of("tb:{1}:1");
    let to = (cluster.node_of(slot) + 1) % 3;
    let moving = spawn_blocking(move || {
        cluster.move_slot(slot, to);
        cluster
    });
    // Of the same partition.
    for user in [17, 33] {
        until_admitted(&process, &tokens[user - 1]).await;
    }
    let cluster = moving.await.unwrap();
    assert_eq!(cluster.node_of(slot), to);
    until_all_are_shown(&process, &[1, 17, 33]).await;
    assert_eq!(process.client.logout(&tokens[16]).await.0, 204);
    assert_eq!(process.client.ping(&tokens[16]).await.0, 401);
    process.signal(Signal::SIGTERM);
    assert_eq!(process.end().await.0, Some(0));
}
