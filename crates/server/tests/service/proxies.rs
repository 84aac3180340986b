//! nginx and Caddy, with the configurations that ship, between a client, Tollbar and an application.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tollbar_testkit::{PrivateRedis, WebProxyKind};

use crate::{
    proxy_stage::{Stage, header, problem, told},
    support::PASSWORD,
    tiers::Tiers,
};

async fn an_allowed_request_reaches_the_application_with_who_calls(kind: WebProxyKind) {
    let stage = Stage::set(kind, Tiers::embedded(), &[]).await;
    let token = stage.login("user1").await;
    let request = stage.request(Method::POST, "/orders/7%2F8//x?a=%2F&b").bearer_auth(&token);
    let request = request.header("x-tollbar-user", "1000").header("X-TOLLBAR-SESSION", "1000-1");
    let request = request.header("cookie", "theme=dark").body("a body of the client's");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let policies = r#""burst";q=3;w=3600, "day";q=100;w=86400"#;
    assert_eq!(header(&response, "ratelimit-policy"), Some(policies));
    let left = r#""burst";r=2;t=3600, "day";r=99;t=86400"#;
    assert_eq!(header(&response, "ratelimit"), Some(left));
    assert_eq!(header(&response, "retry-after"), None);
    let seen: Value = response.json().await.unwrap();
    assert_eq!((&seen["method"], &seen["target"]), (&"POST".into(), &"/orders/7%2F8//x?a=%2F&b".into()));
    assert_eq!(seen["body"], "a body of the client's");
    assert_eq!((told(&seen, "x-tollbar-user"), told(&seen, "x-tollbar-session")), ("1", "1-1"));
    assert_eq!((told(&seen, "authorization"), told(&seen, "cookie")), ("", "theme=dark"));
    assert_eq!(stage.app.reached(), 1);
    // Where nobody is asked who it is, nobody is told who it is.
    let forged =
        stage.request(Method::GET, "/public/x").header("X-Tollbar-User", "7").header("x_tollbar_user", "7");
    let seen: Value = forged.send().await.unwrap().json().await.unwrap();
    let all = seen["headers"].as_object().unwrap().iter();
    let said: Vec<_> = all.filter(|(name, value)| name.contains("tollbar") && *value != "").collect();
    assert!(said.is_empty(), "{said:?}");
}

async fn without_a_live_session_nothing_reaches_it(kind: WebProxyKind) {
    let stage = Stage::set(kind, Tiers::embedded(), &[("TOLLBAR__SESSION__TTL", "1s")]).await;
    let none = stage.request(Method::GET, "/orders/7").send().await.unwrap();
    assert_eq!(header(&none, "www-authenticate"), Some("Bearer realm=\"tollbar\""));
    assert_eq!(problem(none, 401).await["error"], "A session token is required!");
    let token = stage.login("user1").await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    for dead in [token.as_str(), "tbs_nonsense"] {
        let dead = stage.get("/orders/7", dead).await;
        let challenge = "Bearer realm=\"tollbar\", error=\"invalid_token\"";
        assert_eq!(header(&dead, "www-authenticate"), Some(challenge));
        assert_eq!(problem(dead, 401).await["error"], "The session token is invalid or has expired!");
    }
    // What no policy is for needs a session, too; and from outside nobody asks what proxies ask.
    for path in ["/", "/other", "/authz/nginx", "/authz/envoy/public/x"] {
        let answer = stage.request(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{path}");
    }
    assert_eq!(stage.app.reached(), 0);
}

async fn a_limited_client_hears_429_and_when_to_come_back(kind: WebProxyKind) {
    let stage = Stage::set(kind, Tiers::embedded(), &[]).await;
    let token = stage.login("user1").await;
    for _ in 0..3 {
        assert_eq!(stage.get("/orders/7", &token).await.status(), 200);
    }
    let limited = stage.get("/orders/8", &token).await;
    let wait: u64 = header(&limited, "retry-after").unwrap().parse().unwrap();
    assert!((3_590..=3_600).contains(&wait), "{wait}");
    assert_eq!(header(&limited, "ratelimit"), Some(&*format!("\"burst\";r=0;t={wait}")));
    assert!(header(&limited, "ratelimit-policy").unwrap().starts_with("\"burst\";q=3;w=3600, "));
    let problem = problem(limited, 429).await;
    assert_eq!(problem["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded");
    assert_eq!(problem["error"], "Rate limit exceeded in 1 hour period 3 time calling orders API!");
    assert_eq!(problem["violated-policies"], serde_json::json!(["burst"]));
    assert_eq!(stage.app.reached(), 3);
    // The application's own refusals stay its own.
    for status in [401, 403, 404, 429, 500, 503] {
        let own = stage.request(Method::GET, &format!("/public/x?status={status}")).send().await.unwrap();
        assert_eq!((own.status().as_u16(), header(&own, "retry-after")), (status, None));
        assert!(own.json::<Value>().await.unwrap()["headers"].is_object());
    }
}

async fn a_cookie_is_a_session_for_pages_of_the_same_origin(kind: WebProxyKind) {
    let stage = Stage::set(kind, Tiers::embedded(), &[]).await;
    let (token, other) = (stage.login("user1").await, stage.login("user2").await);
    let cookie = format!("a=1; __Host-tollbar={token}; b=2");
    let request = |method, path| stage.request(method, path).header("cookie", &cookie);
    let seen: Value = request(Method::GET, "/orders/7").send().await.unwrap().json().await.unwrap();
    assert_eq!((told(&seen, "x-tollbar-user"), told(&seen, "cookie")), ("1", "a=1; b=2"));
    let same = request(Method::POST, "/orders/7").header("sec-fetch-site", "same-origin");
    assert_eq!(same.send().await.unwrap().status(), 200);
    let origin = request(Method::POST, "/orders/7").header("origin", stage.proxy.url());
    assert_eq!(origin.send().await.unwrap().status(), 200);
    assert_eq!(stage.app.reached(), 3);
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("origin", "http://evil.example"), ("accept", "*/*")]
    {
        let cross = request(Method::POST, "/orders/7").header(name, value).send().await.unwrap();
        problem(cross, 403).await;
    }
    let both = request(Method::GET, "/orders/7").bearer_auth(&other).send().await.unwrap();
    problem(both, 401).await;
    let logout =
        request(Method::POST, "/logout").header("sec-fetch-site", "same-origin").send().await.unwrap();
    assert!(header(&logout, "set-cookie").unwrap().contains("Max-Age=0"));
    problem(request(Method::GET, "/orders/7").send().await.unwrap(), 401).await;
    assert_eq!(stage.app.reached(), 3);
}

async fn while_tollbar_is_down_nothing_reaches_it(kind: WebProxyKind) {
    let Stage { tollbar, app, proxy, http, .. } = Stage::set(kind, Tiers::embedded(), &[]).await;
    let get = |path: &str| http.get(format!("{}{path}", proxy.url())).bearer_auth(PASSWORD).send();
    assert_eq!(get("/public/x").await.unwrap().status(), 200);
    tollbar.signal(nix::sys::signal::Signal::SIGKILL);
    tollbar.end().await;
    for path in ["/public/x", "/orders/7", "/", "/login"] {
        let answer = get(path).await.unwrap();
        assert!(answer.status().is_server_error(), "{path}: {}", answer.status());
    }
    assert_eq!(app.reached(), 1);
}

async fn older_headers_reach_the_client_too(kind: WebProxyKind) {
    for (format, names) in [
        ("draft-03", ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]),
        ("x-ratelimit", ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]),
    ] {
        let stage = Stage::set(kind, Tiers::embedded(), &[("TOLLBAR__HEADERS", format)]).await;
        let token = stage.login("user1").await;
        for status in [200, 200, 200, 429] {
            let answer = stage.get("/orders/7", &token).await;
            assert_eq!(answer.status(), status);
            for name in names {
                assert!(header(&answer, name).is_some(), "{name} at {status}");
            }
            assert_eq!(header(&answer, "ratelimit-policy"), None);
        }
    }
}

async fn a_request_costs_one_trip_at_most(kind: WebProxyKind) {
    let redis = PrivateRedis::start();
    let settings = [
        ("TOLLBAR__REDIS__URL", &*redis.url()),
        ("TOLLBAR__COUNTS__FLUSH", "60s"),
        ("TOLLBAR__REDIS__PARTITIONS", "1"),
    ];
    let stage = Stage::set(kind, Tiers::embedded(), &settings).await;
    let token = stage.login("user1").await;
    assert_eq!(stage.get("/many/x", &token).await.status(), 200);
    let trips = || {
        let said = redis.query(&["INFO", "commandstats"]).unwrap();
        let said: String = redis::from_redis_value(said).unwrap();
        let calls = |line: &str| line.split_once("calls=")?.1.split(',').next()?.parse::<usize>().ok();
        let scripts = said.lines().filter(|line| line.starts_with("cmdstat_eval"));
        scripts.filter_map(calls).sum::<usize>()
    };
    let before = trips();
    for _ in 0..100 {
        assert_eq!(stage.get("/many/x", &token).await.status(), 200);
    }
    // One after the other, so that none can share a trip. Twice a second the process also asks whether the counts are whole.
    let spent = trips() - before;
    assert!((100..=120).contains(&spent), "{spent}");
    // Many at once share; and whoever is over the limit takes none.
    let (before, url) = (trips(), format!("{}/many/x", stage.proxy.url()));
    let together = (0..200).map(|_| {
        let request = stage.http.get(&url).bearer_auth(&token);
        tokio::spawn(async move { request.send().await.unwrap().status().as_u16() })
    });
    let mut admitted = 0;
    for status in together.collect::<Vec<_>>() {
        admitted += usize::from(status.await.unwrap() == 200);
    }
    assert_eq!(admitted, 36);
    assert!(trips() - before <= 200, "{}", trips() - before);
}

async fn of_a_thousand_requests_exactly_the_quota_reaches_it(kind: WebProxyKind) {
    for tiers in [Tiers::embedded(), Tiers::new(true, true)] {
        let stage = Stage::set(kind, tiers, &[]).await;
        let token = stage.login("user1").await;
        // Ten connections that are kept, on each of which one request follows the other.
        let callers = (0..10).map(|_| {
            let (http, url) = (reqwest::Client::new(), format!("{}/many/x", stage.proxy.url()));
            let token = token.clone();
            tokio::spawn(async move {
                let mut statuses = [0; 2];
                for _ in 0..100 {
                    let answer = http.get(&url).bearer_auth(&token).send().await.unwrap();
                    match answer.status().as_u16() {
                        200 => statuses[0] += 1,
                        429 => statuses[1] += 1,
                        other => panic!("{other}"),
                    }
                    answer.bytes().await.unwrap();
                }
                statuses
            })
        });
        let mut sums = [0; 2];
        for caller in callers.collect::<Vec<_>>() {
            let statuses = caller.await.unwrap();
            sums = [sums[0] + statuses[0], sums[1] + statuses[1]];
        }
        assert_eq!((sums, stage.app.reached()), ([137, 863], 137), "{:?}", stage.kind);
    }
}

/// Each case, behind each proxy.
macro_rules! proxies {
    ($($case:ident)+) => {
        mod nginx {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case(tollbar_testkit::WebProxyKind::Nginx).await;
                }
            )+
        }
        mod caddy {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case(tollbar_testkit::WebProxyKind::Caddy).await;
                }
            )+
        }
    };
}

proxies! {
    an_allowed_request_reaches_the_application_with_who_calls
    without_a_live_session_nothing_reaches_it
    a_limited_client_hears_429_and_when_to_come_back
    a_cookie_is_a_session_for_pages_of_the_same_origin
    while_tollbar_is_down_nothing_reaches_it
    older_headers_reach_the_client_too
    a_request_costs_one_trip_at_most
    of_a_thousand_requests_exactly_the_quota_reaches_it
}
