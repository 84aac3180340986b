//! Engines that refuse, hang or answer into the void: 503 with Retry-After, never 401 and never 500, and in time.

use std::time::Duration;

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tollbar_testkit::{Proxy, RedisPrefix, TestDatabase};

use crate::{
    support::{Service, account},
    tiers::Tiers,
};

/// Longer than any deadline that is set here, and much shorter than patience.
const IN_TIME: Duration = Duration::from_secs(5);

/// A service whose way to each of its engines can be broken.
struct Breakable {
    tiers: Tiers,
    postgres: Proxy,
    redis: Proxy,
}

impl Breakable {
    fn new() -> Self {
        let tiers = Tiers::new(true, true);
        let postgres = Proxy::to_url(&tiers.database.as_ref().map(TestDatabase::url).unwrap());
        let redis = Proxy::to_url(tiers.redis.as_ref().map(RedisPrefix::url).unwrap());
        Self { tiers, postgres, redis }
    }

    async fn start(&self) -> Service {
        self.start_with(&[]).await
    }

    async fn start_with(&self, more: &[(&str, &str)]) -> Service {
        let postgres = self.postgres.url(&self.tiers.database.as_ref().unwrap().url());
        let redis = self.redis.url(self.tiers.redis.as_ref().unwrap().url());
        let mut settings = vec![
            ("TOLLBAR__DATABASE__URL", postgres.as_str()),
            ("TOLLBAR__REDIS__URL", redis.as_str()),
            ("TOLLBAR__DATABASE__DEADLINE", "1s"),
            ("TOLLBAR__REDIS__DEADLINE", "500ms"),
            ("TOLLBAR__SERVER__SHUTDOWN_TIMEOUT", "6s"),
        ];
        settings.extend(more);
        Service::start(&self.tiers, &settings).await
    }
}

/// Each way in which an engine can be away.
const AWAY: [fn(&Proxy); 3] = [Proxy::refuse, Proxy::blackhole, Proxy::hold_answers];

async fn status_of(service: &Service, method: Method, path: &str, token: Option<&str>) -> u16 {
    let answer: Response = timeout(IN_TIME, service.client.send(method, path, token)).await.unwrap();
    let retry_after = answer.headers().get("retry-after").is_some();
    assert_eq!(retry_after, matches!(answer.status().as_u16(), 429 | 503), "{answer:?}");
    answer.status().as_u16()
}

/// Readiness as it is by now: a look at the engines is told for a quarter of a second.
async fn readiness(service: &Service) -> (u16, Value) {
    sleep(Duration::from_millis(300)).await;
    service.client.get("/readyz").await
}

async fn until_ready(service: &Service) {
    for _ in 0..200 {
        if service.client.get("/readyz").await.1["status"] == "ready" {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("all engines are back, and the service does not notice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_database_what_redis_knows_is_served() {
    let engines = Breakable::new();
    let service = engines.start().await;
    let client = &service.client;
    for (round, away) in AWAY.into_iter().enumerate() {
        let name = format!("user{round}");
        client.signup(&name).await;
        let token = client.login(&name).await;
        assert_eq!(client.ping(&token).await.0, 200);
        away(&engines.postgres);
        assert_eq!(
            status_of(&service, Method::GET, "/ping", Some(&token)).await,
            429,
            "its session is cached"
        );
        assert_eq!(
            status_of(&service, Method::GET, "/ping", Some("tbs_x")).await,
            401,
            "no look-up is needed"
        );
        assert_eq!(status_of(&service, Method::POST, "/logout", Some(&token)).await, 503);
        for path in ["/login", "/signup"] {
            let (status, body) = timeout(IN_TIME, client.post(path, &account(&name))).await.unwrap();
            assert_eq!(status, 503, "{body}");
        }
        for path in ["/top", "/count", "/healthz"] {
            assert_eq!(status_of(&service, Method::GET, path, None).await, 200);
        }
        let (status, ready) = readiness(&service).await;
        assert_eq!((status, &ready["status"]), (200, &json!("degraded")));
        assert_eq!(ready["dependencies"], json!({"postgres": "down", "redis": "up"}));
        engines.postgres.pass();
        until_ready(&service).await;
        // The logout was not acknowledged: either is right, but no error.
        assert_ne!(client.ping(&token).await.0, 503);
    }
    service.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_the_database_goes_on_and_no_call_is_acknowledged() {
    let engines = Breakable::new();
    let service = engines.start().await;
    let client = &service.client;
    for (round, away) in AWAY.into_iter().enumerate() {
        let name = format!("user{round}");
        away(&engines.redis);
        client.signup(&name).await;
        let token = timeout(IN_TIME, client.login(&name)).await.unwrap();
        assert_eq!(status_of(&service, Method::GET, "/ping", Some(&token)).await, 503);
        for path in ["/top", "/count"] {
            let (status, counts) = timeout(IN_TIME, client.get(path)).await.unwrap();
            assert_eq!((status, &counts["stale"]), (200, &json!(true)), "the ledger tells");
        }
        let (_, ready) = readiness(&service).await;
        assert_eq!(ready["dependencies"], json!({"postgres": "up", "redis": "down"}));
        engines.redis.pass();
        until_ready(&service).await;
        // Its first ping may have been charged, unacknowledged, where only the answer was lost.
        assert!([200, 429].contains(&client.ping(&token).await.0));
        assert_eq!(client.logout(&token).await.0, 204);
        assert_eq!(client.ping(&token).await.0, 401);
    }
    service.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_either_it_is_not_ready_and_still_ends_in_time() {
    let engines = Breakable::new();
    let service = engines.start().await;
    service.client.signup("user1").await;
    let token = service.client.login("user1").await;
    engines.postgres.blackhole();
    engines.redis.blackhole();
    let (status, ready) = timeout(IN_TIME, service.client.get("/readyz")).await.unwrap();
    assert_eq!((status, &ready["error"]), (503, &json!("The service is not ready!")));
    assert_eq!(service.client.get("/healthz").await.0, 200);
    assert_eq!(status_of(&service, Method::GET, "/ping", None).await, 401, "nothing has to be asked");
    let token = Some(&*token);
    let get = Method::GET;
    for (method, path) in
        [(get.clone(), "/ping"), (Method::POST, "/logout"), (get.clone(), "/top"), (get, "/count")]
    {
        assert_eq!(status_of(&service, method, path, token).await, 503, "{path}");
    }
    for path in ["/login", "/signup"] {
        let (status, body) = timeout(IN_TIME, service.client.post(path, &account("user1"))).await.unwrap();
        assert_eq!(status, 503, "{path}: {body}");
    }
    timeout(Duration::from_secs(7), service.stop()).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_database_a_cached_session_works_for_as_long_as_it_is_believed() {
    let engines = Breakable::new();
    let service = engines.start_with(&[("TOLLBAR__SESSION__CACHE_TTL", "2s")]).await;
    service.client.signup("user1").await;
    let token = service.client.login("user1").await;
    assert_eq!(service.client.ping(&token).await.0, 200);
    engines.postgres.refuse();
    assert_eq!(status_of(&service, Method::GET, "/ping", Some(&token)).await, 429, "its session is cached");
    let until_forgotten = async {
        while status_of(&service, Method::GET, "/ping", Some(&token)).await != 503 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(IN_TIME, until_forgotten).await.expect("nobody can say any more whether it lives");
    engines.postgres.pass();
    until_ready(&service).await;
    assert_ne!(service.client.ping(&token).await.0, 503);
    service.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sqlite_file_that_another_process_writes_is_served_from_as_far_as_it_can_be_read() {
    let tiers = Tiers::embedded();
    let service = Service::start(&tiers, &[("TOLLBAR__DATABASE__DEADLINE", "300ms")]).await;
    let client = &service.client;
    client.signup("user1").await;
    let token = client.login("user1").await;
    assert_eq!(client.ping(&token).await.0, 200);
    let path = tiers.folder.path().join("tollbar.db");
    let mut elsewhere = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    elsewhere.batch_execute("BEGIN IMMEDIATE").unwrap();

    for path in ["/login", "/signup"] {
        let (status, body) = timeout(IN_TIME, client.post(path, &account("user2"))).await.unwrap();
        assert_eq!(status, if path == "/login" { 401 } else { 503 }, "{path}: {body}");
    }
    assert_eq!(timeout(IN_TIME, client.post("/login", &account("user1"))).await.unwrap().0, 503);
    assert_eq!(status_of(&service, Method::POST, "/logout", Some(&token)).await, 503);
    assert_eq!(status_of(&service, Method::GET, "/ping", Some(&token)).await, 429);
    let (_, top) = client.get("/top").await;
    assert_eq!(
        top,
        json!({"topUsersCallingAPIAllTime": ["CallingPingAPI userID:1 called 1 times"], "top": [{"userId": 1, "calls": 1}]})
    );
    let (status, ready) = client.get("/readyz").await;
    assert_eq!((status, &ready["status"]), (200, &json!("degraded")));
    assert_eq!(ready["dependencies"], json!({"memory": "up", "sqlite": "down"}));
    drop(elsewhere);
    until_ready(&service).await;
    client.signup("user2").await;
    service.stop().await.unwrap();
}
