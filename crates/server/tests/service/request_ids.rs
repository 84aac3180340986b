//! The id of a request: in the header, in the body of an error and in each line of the log it is the same.

use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{process::Process, tiers::Tiers};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_error_has_the_id_that_the_header_and_the_log_have() {
    let tiers = Tiers::embedded();
    let process = Process::start(&tiers, &[("TOLLBAR__LOG__LEVEL", "debug")]).await;
    let client = &process.client;
    client.signup("user1").await;
    let token = client.login("user1").await;
    assert_eq!(client.ping(&token).await.0, 200);
    let mut ids = Vec::new();
    for (method, path, body, status) in [
        (Method::GET, "/nowhere", None, 404),
        (Method::DELETE, "/ping", None, 405),
        (Method::GET, "/ping", None, 429),
        (Method::POST, "/signup", Some(json!({"username": "user1"})), 400),
        (Method::POST, "/signup", Some(json!({"username": "user1", "password": "pass123-x"})), 400),
        (Method::POST, "/login", Some(json!({"username": "user1", "password": "wrong"})), 401),
        (Method::GET, "/top?window=never", None, 400),
        (Method::GET, "/authz/forward", None, 403),
    ] {
        let request = client.request(method.clone(), path).bearer_auth(&token);
        let answer = body.iter().fold(request, reqwest::RequestBuilder::json).send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["requestId"], id, "{problem}");
        ids.push(id);
    }
    process.signal(Signal::SIGTERM);
    let (_, log, _) = process.end().await;
    for id in ids {
        let line = log.iter().find(|line| line.contains("\"answered\"") && line.contains(&id));
        assert!(line.is_some(), "{id}: {log:?}");
    }
}
