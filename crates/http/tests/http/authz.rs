//! What proxies are told, by the ways in which each of them asks.

use std::time::Duration;

use actix_web::test::TestRequest;
use serde_json::Value;
use tollbar_core::{
    domain::{UserId, Version},
    ports::{Admission, MockGate},
};
use tollbar_http::HeaderFormat;

use crate::support::{Answer, Ports, ask, decision, down};

pub(crate) const LOCAL: &str = "127.0.0.1:4000";
const POLICY: &str = r#""5s";q=1;w=5, "1m";q=2;w=60"#;

/// `live` is admitted by the policy of `/orders/{id}` and by that of what no policy is for; `eager` is limited.
pub(crate) fn gate() -> MockGate {
    let mut gate = MockGate::new();
    gate.expect_admit().returning(|token, policy| {
        assert!(["orders", "unmatched"].contains(&policy.api().as_str()), "{policy:?}");
        let (user, session) = (UserId::new(42).unwrap(), Version::new(3));
        let mut said = decision([Duration::ZERO; 2]);
        said.windows.truncate(policy.windows().len());
        match token {
            "live" => Ok(Admission::Admitted { user, session, decision: said }),
            "eager" => Ok(Admission::Limited { user, decision: decision([Duration::from_secs(4); 2]) }),
            "down" => Err(down()),
            _ => Ok(Admission::Unauthenticated),
        }
    });
    gate
}

/// One proxy's way to ask about a request with this token.
pub(crate) fn request(way: &str, method: &str, uri: &str, token: &str, peer: &str) -> TestRequest {
    let request = match way {
        "nginx" => TestRequest::get()
            .uri("/authz/nginx")
            .insert_header(("x-original-method", method))
            .insert_header(("x-original-uri", uri)),
        "forward" => TestRequest::get()
            .uri("/authz/forward")
            .insert_header(("x-forwarded-method", method))
            .insert_header(("x-forwarded-uri", uri)),
        _ => TestRequest::with_uri(&format!("/authz/envoy{uri}")).method(method.parse().unwrap()),
    };
    let request = if token.is_empty() {
        request
    } else {
        request.insert_header(("authorization", format!("Bearer {token}")))
    };
    request.peer_addr(peer.parse().unwrap())
}

async fn asked(way: &str, method: &str, uri: &str, token: &str) -> Answer {
    let ports = Ports { gate: gate(), ..Ports::new() };
    ask(ports.services(), request(way, method, uri, token, LOCAL)).await
}

pub(crate) const WAYS: [&str; 3] = ["nginx", "forward", "envoy"];

#[actix_web::test]
async fn an_allow_is_200_with_who_calls_and_the_limits() {
    for way in WAYS {
        for method in ["GET", "POST", "DELETE"] {
            let answer = asked(way, method, "/orders/7?x=%2F", "live").await;
            assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""), "{way} {method}");
            assert_eq!(answer.header("x-tollbar-user"), Some("42"));
            assert_eq!(answer.header("x-tollbar-session"), Some("42-3"));
            assert_eq!(answer.header("ratelimit-policy"), Some(POLICY), "{way}");
            assert_eq!(answer.header("retry-after"), None);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
        // What no policy is for needs a session, and has no limit to tell of.
        let answer = asked(way, "GET", "/", "live").await;
        assert_eq!((answer.status.as_u16(), answer.header("ratelimit-policy")), (200, None), "{way}");
    }
}

#[actix_web::test]
async fn without_a_live_session_it_is_401_with_a_challenge() {
    for way in WAYS {
        for (token, challenge) in [("", ""), ("dead", ", error=\"invalid_token\"")] {
            let answer = asked(way, "GET", "/orders/7", token).await;
            assert_eq!(answer.status.as_u16(), 401, "{way}");
            let expected = format!("Bearer realm=\"tollbar\"{challenge}");
            assert_eq!(answer.header("www-authenticate"), Some(expected.as_str()));
            assert_eq!(answer.header("x-tollbar-reason"), Some("unauthenticated"));
            assert_eq!(problem(way, &answer)["status"], 401);
        }
    }
}

/// The problem, where that proxy finds it.
fn problem(way: &str, answer: &Answer) -> Value {
    let problem: Value = if way == "nginx" {
        assert_eq!((answer.body.as_str(), answer.header("content-type")), ("", None));
        serde_json::from_str(answer.header("x-tollbar-problem").unwrap()).unwrap()
    } else {
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.header("x-tollbar-problem"), None);
        answer.json()
    };
    assert_eq!(problem["requestId"].as_str(), answer.header("x-request-id"), "{way}");
    problem
}

#[actix_web::test]
async fn a_limit_is_429_or_what_nginx_takes_for_it() {
    for way in WAYS {
        let answer = asked(way, "GET", "/orders/7", "eager").await;
        assert_eq!(answer.status.as_u16(), if way == "nginx" { 403 } else { 429 });
        assert_eq!(answer.header("x-tollbar-reason"), Some("limited"));
        assert_eq!(answer.header("retry-after"), Some("4"));
        assert_eq!(answer.header("ratelimit-policy"), Some(POLICY));
        assert_eq!(answer.header("ratelimit"), Some(r#""5s";r=0;t=4, "1m";r=0;t=4"#));
        let problem = problem(way, &answer);
        assert_eq!(problem["status"], 429);
        assert_eq!(problem["error"], "Rate limit exceeded in 5s period 1 time calling orders API!");
        assert_eq!(problem["violated-policies"], serde_json::json!(["5s", "1m"]));
    }
}

#[actix_web::test]
async fn an_outage_is_503_and_no_denial() {
    for way in WAYS {
        let answer = asked(way, "GET", "/orders/7", "down").await;
        assert_eq!((answer.status.as_u16(), answer.header("x-tollbar-reason")), (503, None), "{way}");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}

#[actix_web::test]
async fn only_trusted_proxies_may_ask() {
    for way in WAYS {
        let ports = Ports { gate: gate(), ..Ports::new() };
        let answer = ask(ports.services(), request(way, "GET", "/orders/7", "live", "192.0.2.1:4000")).await;
        assert_eq!(answer.status.as_u16(), 403, "{way}");
        assert_eq!(answer.header("x-tollbar-reason"), Some("forbidden"));
        assert_eq!(answer.header("x-tollbar-user"), None);
    }
    for path in ["/authz/nginx", "/authz/forward"] {
        let request = TestRequest::get().uri(path).peer_addr(LOCAL.parse().unwrap());
        let answer = ask(Ports::new().services(), request).await;
        assert_eq!(answer.status.as_u16(), 403, "{path} without the original request");
    }
}

#[actix_web::test]
async fn cookies_are_taken_where_they_are_turned_on_and_not_from_other_sites() {
    for way in WAYS {
        for (method, uri, site, status) in [
            ("GET", "/orders/7", "cross-site", 200),
            ("POST", "/orders/7", "same-origin", 200),
            ("POST", "/orders/7", "cross-site", 403),
        ] {
            let mut ports = Ports { gate: gate(), ..Ports::new() };
            ports.options.cookies = true;
            let request = request(way, method, uri, "", LOCAL)
                .insert_header(("cookie", "__Host-tollbar=live"))
                .insert_header(("sec-fetch-site", site));
            let answer = ask(ports.services(), request).await;
            assert_eq!(answer.status.as_u16(), status, "{way} {method} {site}");
            assert_eq!(answer.header("x-tollbar-reason"), (status == 403).then_some("forbidden"));
        }
        let off =
            request(way, "GET", "/orders/7", "", LOCAL).insert_header(("cookie", "__Host-tollbar=live"));
        assert_eq!(ask(Ports { gate: gate(), ..Ports::new() }.services(), off).await.status.as_u16(), 401);
    }
}

#[actix_web::test]
async fn other_headers_tell_of_limits_where_they_are_chosen() {
    for (format, present) in [
        (HeaderFormat::Draft03, Some("ratelimit-remaining")),
        (HeaderFormat::XRateLimit, Some("x-ratelimit-remaining")),
        (HeaderFormat::Off, None),
    ] {
        let mut ports = Ports { gate: gate(), ..Ports::new() };
        ports.options.headers = format;
        let answer = ask(ports.services(), request("forward", "GET", "/orders/7", "eager", LOCAL)).await;
        assert_eq!(answer.header("retry-after"), Some("4"));
        assert_eq!(answer.header("ratelimit-policy"), None);
        for name in ["ratelimit-remaining", "x-ratelimit-remaining"] {
            assert_eq!(answer.header(name), (Some(name) == present).then_some("0"), "{format:?}");
        }
    }
}
