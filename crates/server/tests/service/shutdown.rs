//! A shutdown in order, and one that is told to hurry.

use std::time::Duration;

use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::{process::Process, support::Service, tiers::Tiers};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_flight_finish_and_their_counts_are_kept() {
    let tiers = Tiers::embedded();
    // Only the last flush can have written the counts.
    let slow = [
        ("TOLLBAR__PING__DELAY", "1500ms"),
        ("TOLLBAR__COUNTS__FLUSH", "60s"),
        ("TOLLBAR__SERVER__SHUTDOWN_DELAY", "1s"),
    ];
    let process = Process::start(&tiers, &slow).await;
    let mut pings = Vec::new();
    for (name, at) in [("user1", 0), ("user2", 600)] {
        process.client.signup(name).await;
        let (client, token) = (process.client.clone(), process.client.login(name).await);
        pings.push(tokio::spawn(async move {
            sleep(Duration::from_millis(at)).await;
            client.ping(&token).await
        }));
    }
    sleep(Duration::from_millis(300)).await;
    // One is under way, the other comes while requests are still accepted.
    process.signal(Signal::SIGTERM);
    for ping in pings {
        assert_eq!(ping.await.unwrap(), (200, json!({})));
    }
    let (code, log, said) = process.end().await;
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert!(log.last().unwrap().contains("stopped"), "{log:?}");

    let process = Process::start(&tiers, &[]).await;
    let places = json!([{"userId": 1, "calls": 1}, {"userId": 2, "calls": 1}]);
    assert_eq!(process.client.get("/top").await.1["top"], places);
    process.signal(Signal::SIGINT);
    assert_eq!(process.end().await.0, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_says_so_while_requests_are_still_accepted() {
    let tiers = Tiers::embedded();
    let service = Service::start(&tiers, &[("TOLLBAR__SERVER__SHUTDOWN_DELAY", "1s")]).await;
    service.begin_stop();
    sleep(Duration::from_millis(200)).await;
    let (status, ready) = service.client.get("/readyz").await;
    assert_eq!((status, &ready["error"]), (503, &json!("The service is not ready!")));
    assert_eq!(service.client.send(Method::GET, "/healthz", None).await.status(), 200);
    timeout(Duration::from_secs(5), service.stop()).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_never_ends_does_not_hold_it_up() {
    let tiers = Tiers::embedded();
    let settings = [("TOLLBAR__PING__DELAY", "60s"), ("TOLLBAR__SERVER__SHUTDOWN_TIMEOUT", "3s")];
    let service = Service::start(&tiers, &settings).await;
    service.client.signup("user1").await;
    let token = service.client.login("user1").await;
    let client = service.client.clone();
    let pinging = tokio::spawn(async move { client.ping(&token).await });
    sleep(Duration::from_millis(200)).await;
    timeout(Duration::from_secs(4), service.stop()).await.unwrap().unwrap();
    assert!(pinging.await.is_err(), "it was cut off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_it_at_once() {
    let tiers = Tiers::embedded();
    let process = Process::start(&tiers, &[("TOLLBAR__SERVER__SHUTDOWN_DELAY", "10s")]).await;
    process.signal(Signal::SIGTERM);
    sleep(Duration::from_millis(200)).await;
    process.signal(Signal::SIGTERM);
    let (code, ..) = timeout(Duration::from_secs(2), process.end()).await.unwrap();
    assert_eq!(code, Some(143));
}
