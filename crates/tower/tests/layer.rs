//! A router behind the bar, over mocked gates: what reaches a handler, and what a client hears.
#![allow(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{Extension, Router, body::Body, body::to_bytes, routing::get};
use http::{HeaderMap, Request};
use tollbar_core::{
    counts::{BookOptions, CallBook},
    domain::{
        ApiName, Decision, Incarnation, Policy, PolicyName, Quota, Subject, Timestamp, UserId, Version,
        Window, WindowState,
    },
    policies::{PathPattern, Policies, PolicyTable, Rule, RuleOptions, Unmatched, Whom},
    ports::{Admission, ManualClock, MockGate, MockStandby},
    usecases::Authorize,
};
use tollbar_tower::{Bar, BarLayer, BarOptions, CurrentUser};
use tower::ServiceExt;

fn policy(name: &str) -> Policy {
    let window = Window::new(Quota::new(3).unwrap(), Duration::from_secs(60)).unwrap();
    Policy::new(PolicyName::new(name).unwrap(), ApiName::new(name).unwrap(), vec![window]).unwrap()
}

fn decision(policy: &Policy, wait: u64) -> Decision {
    let (reset_after, retry_after) = (Duration::from_secs(60), Duration::from_secs(wait));
    let state = |window: &Window| WindowState { window: *window, remaining: 2, reset_after, retry_after };
    Decision {
        at: Timestamp::default(),
        windows: policy.windows().iter().map(state).collect(),
        repeated: false,
    }
}

fn app() -> Router {
    let mut gate = MockGate::new();
    gate.expect_admit().returning(|token, policy| {
        let user = UserId::new(7).unwrap();
        Ok(match token {
            "live" => Admission::Admitted { user, session: Version::new(3), decision: decision(policy, 0) },
            "eager" => Admission::Limited { user, decision: decision(policy, 4) },
            _ => Admission::Unauthenticated,
        })
    });
    gate.expect_limit().returning(|subject, policy| {
        let client = Subject::address("192.0.2.1".parse::<IpAddr>().unwrap());
        Ok(decision(policy, if subject == client { 0 } else { 9 }))
    });
    let rule = |name: &str, path: &str| RuleOptions::new(policy(name), PathPattern::new(path).unwrap());
    let open = RuleOptions { whom: Whom::Address, session: false, ..rule("open", "/open") };
    let rules = vec![Rule::new(rule("orders", "/orders/*")).unwrap(), Rule::new(open).unwrap()];
    let policies = Policies::new(PolicyTable::new(rules, Unmatched::Deny).unwrap());
    let author = Incarnation::from_bytes([1; 16]);
    let book = Arc::new(CallBook::new(author, Arc::new(ManualClock::new()), BookOptions::default()));
    let authorize = Authorize::new(policies, Arc::new(gate), Arc::new(MockStandby::new()), None, book);
    let bar = Bar::new(Arc::new(authorize), BarOptions::default());
    let who = |caller: Option<Extension<CurrentUser>>| async move {
        caller.map_or("nobody".to_owned(), |Extension(caller)| {
            format!("{}-{}", caller.user, caller.session.get())
        })
    };
    let layer = BarLayer::new(bar).with_peer(|extensions| extensions.get::<IpAddr>().copied());
    Router::new().route("/orders/7", get(who)).route("/open", get(who)).route("/else", get(who)).layer(layer)
}

async fn ask(path: &str, token: &str, peer: &str) -> (u16, HeaderMap, String) {
    let request = Request::get(path).extension(peer.parse::<IpAddr>().unwrap());
    let forged = CurrentUser { user: UserId::new(1).unwrap(), session: Version::new(1) };
    let request = request.header("authorization", format!("Bearer {token}")).extension(forged);
    let response = app().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 10_000).await.unwrap();
    (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_handler_hears_who_calls_and_the_client_its_limits() {
    let (status, headers, body) = ask("/orders/7", "live", "192.0.2.1").await;
    assert_eq!((status, body.as_str()), (200, "7-3"));
    assert_eq!(headers["ratelimit-policy"], r#""1m";q=3;w=60"#);
    assert_eq!(headers["ratelimit"], r#""1m";r=2;t=60"#);
    // Also where there is no handler.
    let (status, headers, _) = ask("/orders/8", "live", "192.0.2.1").await;
    assert_eq!((status, headers.contains_key("ratelimit")), (404, true));
}

#[tokio::test]
async fn whoever_is_denied_hears_why_and_reaches_no_handler() {
    let (status, headers, body) = ask("/orders/7", "eager", "192.0.2.1").await;
    assert_eq!((status, &headers["retry-after"]), (429, &"4".parse().unwrap()));
    assert_eq!(headers["content-type"], "application/problem+json");
    assert!(body.contains("Rate limit exceeded in 1 minute period 3 time calling orders API!"), "{body}");
    let (status, headers, _) = ask("/orders/7", "dead", "192.0.2.1").await;
    assert_eq!((status, headers.contains_key("www-authenticate")), (401, true));
    assert_eq!(ask("/else", "live", "192.0.2.1").await.0, 403);
}

#[tokio::test]
async fn clients_are_limited_by_where_they_are_and_are_nobody() {
    let (status, _, body) = ask("/open", "live", "192.0.2.1").await;
    assert_eq!((status, body.as_str()), (200, "nobody"));
    assert_eq!(ask("/open", "live", "192.0.2.2").await.0, 429);
}
