//! `/ping`, `/top` and `/count`.

use std::time::Duration;

use actix_web::{http::Method, test::TestRequest};
use serde_json::json;
use tollbar_core::{
    domain::{Caller, UserId, Version},
    ports::Admission,
};

use crate::support::{Answer, Ports, ask, broken, decision, down};

async fn ping(admission: Admission) -> Answer {
    let mut ports = Ports::new();
    ports
        .gate
        .expect_admit()
        .withf(|token, policy| token == "tbs_t" && policy.name().as_str() == "ping")
        .return_once(|_, _| Ok(admission));
    ask(ports.services(), TestRequest::get().uri("/ping").insert_header(("authorization", "Bearer tbs_t")))
        .await
}

fn user() -> UserId {
    UserId::new(3).unwrap()
}

#[actix_web::test]
async fn an_admitted_ping_is_an_empty_object() {
    let decision = decision([Duration::ZERO; 2]);
    let answer = ping(Admission::Admitted { user: user(), session: Version::new(1), decision }).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "{}"));
    assert_eq!(answer.header("ratelimit-policy"), Some(r#""burst";q=1;w=5, "minute";q=2;w=60"#));
    assert_eq!(answer.header("ratelimit"), Some(r#""burst";r=0, "minute";r=0"#));
    assert_eq!(answer.header("retry-after"), None);
}

#[actix_web::test]
async fn a_limited_ping_names_the_first_violated_window_and_the_longest_wait() {
    let millis = Duration::from_millis;
    let burst = "Rate limit exceeded in 5s period 1 time calling ping API!";
    let minute = "Rate limit exceeded in 1 minute period 2 time calling ping API!";
    for (waits, said, retry_after, violated) in [
        ([millis(4_200), millis(0)], burst, "5", json!(["burst"])),
        ([millis(4_200), millis(55_000)], burst, "55", json!(["burst", "minute"])),
        ([millis(0), millis(55_001)], minute, "56", json!(["minute"])),
        ([millis(0), Duration::from_micros(1)], minute, "1", json!(["minute"])),
    ] {
        let answer = ping(Admission::Limited { user: user(), decision: decision(waits) }).await;
        assert_eq!(answer.problem(429, "Rate limit exceeded"), said);
        assert_eq!(answer.header("retry-after"), Some(retry_after));
        assert_eq!(answer.json()["violated-policies"], violated);
        assert_eq!(answer.json()["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded");
    }
}

#[actix_web::test]
async fn a_dead_token_is_told_apart_from_none() {
    let dead = ping(Admission::Unauthenticated).await;
    assert_eq!(dead.problem(401, "Unauthorized"), "The session token is invalid or has expired!");
    let challenge = "Bearer realm=\"tollbar\", error=\"invalid_token\"";
    assert_eq!(dead.header("www-authenticate"), Some(challenge));
    for path in ["/ping", "/logout"] {
        let method = if path == "/ping" { Method::GET } else { Method::POST };
        let none = ask(Ports::new().services(), TestRequest::with_uri(path).method(method.clone())).await;
        assert_eq!(none.problem(401, "Unauthorized"), "A session token is required!");
        assert_eq!(none.header("www-authenticate"), Some("Bearer realm=\"tollbar\""));
        let twice = TestRequest::with_uri(path).method(method);
        let twice =
            twice.append_header(("authorization", "Bearer a")).append_header(("authorization", "Bearer b"));
        let twice = ask(Ports::new().services(), twice).await;
        twice.problem(401, "Unauthorized");
        assert_eq!(twice.header("www-authenticate"), Some(challenge));
    }
}

#[actix_web::test]
async fn a_gate_that_is_down_is_503_and_a_broken_one_500() {
    for (error, status, title) in
        [(down(), 503, "Service Unavailable"), (broken(), 500, "Internal Server Error")]
    {
        let mut ports = Ports::new();
        ports.gate.expect_admit().return_once(|_, _| Err(error));
        let request = TestRequest::get().uri("/ping").insert_header(("authorization", "Bearer t"));
        let answer = ask(ports.services(), request).await;
        answer.problem(status, title);
        assert_eq!(answer.header("retry-after"), (status == 503).then_some("1"));
    }
}

#[actix_web::test]
async fn top_says_it_in_sentences_and_in_members() {
    let mut ports = Ports::new();
    let caller = |id, calls| Caller { user: UserId::new(id).unwrap(), calls };
    ports.tracker.expect_top().returning(move |_, _| Ok(vec![caller(3, 4), caller(1, 2)]));
    let answer = ask(ports.services(), TestRequest::get().uri("/top")).await;
    assert_eq!(
        answer.json(),
        json!({
            "topUsersCallingAPIAllTime": [
                "CallingPingAPI userID:3 called 4 times",
                "CallingPingAPI userID:1 called 2 times",
            ],
            "top": [{"userId": 3, "calls": 4}, {"userId": 1, "calls": 2}],
        })
    );
}

#[actix_web::test]
async fn count_is_one_number() {
    let mut ports = Ports::new();
    ports.tracker.expect_distinct().returning(|_| Ok(150));
    let answer = ask(ports.services(), TestRequest::get().uri("/count")).await;
    assert_eq!(answer.body, r#"{"estimatedCount":150}"#);
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[actix_web::test]
async fn head_works_where_get_has_no_side_effects() {
    for (path, status) in
        [("/count", 200), ("/top", 200), ("/calls", 200), ("/healthz", 200), ("/readyz", 200), ("/ping", 405)]
    {
        let mut ports = Ports::new();
        ports.tracker.expect_distinct().returning(|_| Ok(1));
        ports.tracker.expect_top().returning(|_, _| Ok(vec![]));
        ports.history.expect_series().returning(|_, _, _, _| Ok(vec![]));
        ports.durable.expect_check().returning(|| Ok(()));
        ports.live.expect_check().returning(|| Ok(()));
        let answer = ask(ports.services(), TestRequest::with_uri(path).method(Method::HEAD)).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
    }
}
