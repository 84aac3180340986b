//! A user's way through the whole API, on every pair of tiers.

use reqwest::Method;
use serde_json::json;

use crate::{
    support::{PASSWORD, Service, account},
    tiers::Tiers,
};

async fn walk(tiers: Tiers) {
    let service = Service::start(&tiers, &[]).await;
    let client = &service.client;
    assert_eq!(client.get("/healthz").await, (200, json!({})));
    let (status, ready) = client.get("/readyz").await;
    assert_eq!((status, &ready["status"]), (200, &json!("ready")));
    let durable = if tiers.database.is_some() { "postgres" } else { "sqlite" };
    let live = if tiers.redis.is_some() { "redis" } else { "memory" };
    assert_eq!(ready["dependencies"], json!({durable: "up", live: "up"}));
    assert_eq!(client.get("/top").await, (200, json!({"topUsersCallingAPIAllTime": [], "top": []})));
    assert_eq!(client.get("/count").await, (200, json!({"estimatedCount": 0})));

    client.signup("user1").await;
    let (status, taken) = client.post("/signup", &account("USER1")).await;
    assert_eq!((status, &taken["error"]), (400, &json!("Username already exists!")));
    let (status, mut wrong) = client.post("/login", &json!({"username": "user1", "password": "wrong"})).await;
    let (_, mut unknown) = client.post("/login", &json!({"username": "user9", "password": PASSWORD})).await;
    // The id is each request's own.
    let ids =
        [&mut wrong, &mut unknown].map(|body| body.as_object_mut().unwrap().remove("requestId").unwrap());
    assert_ne!(ids[0], ids[1]);
    assert_eq!((status, &wrong), (401, &unknown));
    assert_eq!(wrong["title"], "Invalid credentials");

    let first = client.login("User1").await;
    let second = client.login("user1").await;
    assert_eq!(client.ping(&first).await.0, 401, "a login ends the session before");
    assert_eq!(client.ping(&second).await, (200, json!({})));
    let (status, limited) = client.ping(&second).await;
    assert_eq!((status, &limited["title"]), (429, &json!("Rate limit exceeded")));
    assert_eq!(limited["error"], "Rate limit exceeded in 5s period 1 time calling ping API!");

    client.signup("user2").await;
    let other = client.login("user2").await;
    assert_eq!(client.ping(&other).await.0, 200);
    let (_, top) = client.get("/top").await;
    let id = |place: usize| top["top"][place]["userId"].as_u64().unwrap();
    assert!(id(0) < id(1) && top["top"][0]["calls"] == 1 && top["top"][1]["calls"] == 1, "{top}");
    let sentence = format!("CallingPingAPI userID:{} called 1 times", id(0));
    assert_eq!(top["topUsersCallingAPIAllTime"][0], sentence.as_str());
    assert_eq!(client.get("/count").await.1, json!({"estimatedCount": 2}));

    assert_eq!(client.logout(&second).await.0, 204);
    assert_eq!(client.logout(&second).await.0, 401);
    let dead = client.send(Method::GET, "/ping", Some(&second)).await;
    assert_eq!(dead.status(), 401);
    let challenge = "Bearer realm=\"tollbar\", error=\"invalid_token\"";
    assert_eq!(dead.headers()["www-authenticate"], challenge);
    let none = client.send(Method::GET, "/ping", None).await;
    assert_eq!(none.headers()["www-authenticate"], "Bearer realm=\"tollbar\"");

    // A restart finds users, sessions and counts.
    service.stop().await.unwrap();
    let service = Service::start(&tiers, &[]).await;
    let client = &service.client;
    assert_eq!(client.get("/top").await.1, top);
    assert_eq!(client.get("/count").await.1, json!({"estimatedCount": 2}));
    assert_ne!(client.ping(&other).await.0, 401);
    assert_eq!(client.ping(&second).await.0, 401);
    client.login("user1").await;
    service.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_and_memory() {
    walk(Tiers::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgresql_and_redis() {
    walk(Tiers::new(true, true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_and_redis() {
    walk(Tiers::new(false, true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgresql_and_memory() {
    walk(Tiers::new(true, false)).await;
}
