//! A caller who waits as long as it is told is admitted, and a denied call costs nothing.

use std::time::Duration;

use reqwest::Method;
use tokio::time::sleep;

use crate::{process::Process, tiers::Tiers};

/// Part of a second over, so that rounding down would show.
const POLICY: &str = "[[policies]]\nname = \"ping\"\npath = \"/ping\"\n\
    windows = [{ quota = 1, period = \"600ms\" }, { quota = 2, period = \"2500ms\" }]\n";

async fn waiting_as_told(tiers: Tiers) {
    let file = tiers.folder.path().join("short.toml");
    std::fs::write(&file, POLICY).unwrap();
    let process = Process::start_with(&tiers, &["--config", &file.display().to_string()], &[]).await;
    process.client.signup("user1").await;
    let token = process.client.login("user1").await;
    let (mut admitted, mut said) = (0, Vec::new());
    for _ in 0..100 {
        let answer = process.client.send(Method::GET, "/ping", Some(&token)).await;
        let Some(wait) = answer.headers().get("retry-after") else {
            assert_eq!(answer.status(), 200);
            admitted += 1;
            continue;
        };
        assert_eq!(answer.status(), 429);
        let wait: u64 = wait.to_str().unwrap().parse().unwrap();
        let body: serde_json::Value = answer.json().await.unwrap();
        said.push((body["error"].as_str().unwrap().to_owned(), wait));
        // Denied again: it must not make the wait longer.
        sleep(Duration::from_millis(10)).await;
        assert_eq!(process.client.ping(&token).await.0, 429);
        sleep(Duration::from_secs(wait)).await;
        let after = process.client.ping(&token).await;
        assert_eq!(after.0, 200, "told to wait {wait} s: {}", after.1);
        admitted += 1;
        if admitted >= 4 {
            break;
        }
    }
    let burst = "Rate limit exceeded in 600ms period 1 time calling ping API!";
    assert_eq!(said[0], (burst.to_owned(), 1));
    assert!(said[1..].iter().any(|(_, wait)| *wait > 1), "the longer window has its turn: {said:?}");
    assert_eq!(process.client.get("/top").await.1["top"][0]["calls"], admitted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn is_admitted_on_sqlite_and_memory() {
    waiting_as_told(Tiers::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn is_admitted_on_postgresql_and_redis() {
    waiting_as_told(Tiers::new(true, true)).await;
}
