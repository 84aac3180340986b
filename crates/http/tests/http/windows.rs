//! `/top`, `/count` and `/calls` with parameters.

use actix_web::test::TestRequest;
use serde_json::json;
use tollbar_core::domain::{ApiName, Caller, Outcomes, Sketches, UserId};

use crate::support::{Answer, Ports, ask, down};

fn caller(id: u64, calls: u64) -> Caller {
    Caller { user: UserId::new(id).unwrap(), calls }
}

async fn get(ports: Ports, uri: &str) -> Answer {
    ask(ports.services(), TestRequest::get().uri(uri)).await
}

/// A history in which user 1 called twice and user 2 was limited thrice, in whatever span.
fn history(api: &'static str) -> Ports {
    let mut ports = Ports::new();
    ports.history.expect_apis().returning(move || Ok(vec![ApiName::new(api).unwrap()]));
    ports.history.expect_sketches().returning(move |asked, _, _, _| {
        let mut summary = Sketches::default();
        if asked.as_str() == api {
            summary.add_callers(&[caller(1, 2)]);
            summary.add_limited(&[caller(2, 3)]);
        }
        Ok(vec![summary])
    });
    ports
}

#[actix_web::test]
async fn top_of_a_window_says_which_and_how_exact_it_is() {
    let answer = get(history("ping"), "/top?window=7d").await;
    let mut told = answer.json();
    let from = told["from"].take();
    assert!(from.as_str().unwrap().ends_with("T00:00:00Z"), "{from}");
    let expected = json!({
        "api": "ping", "window": "7d", "from": null, "by": "calls", "top": [{"userId": 1, "calls": 2}], "maxError": 0
    });
    assert_eq!(told, expected);
    let limited = get(history("orders"), "/top?api=orders&by=limited&window=all&limit=100").await;
    let expected = json!({
        "api": "orders", "window": "all", "by": "limited", "top": [{"userId": 2, "calls": 3}], "maxError": 0
    });
    assert_eq!(limited.json(), expected);
}

#[actix_web::test]
async fn top_of_all_time_has_as_many_places_as_are_asked_for() {
    let mut ports = Ports::new();
    ports.tracker.expect_top().returning(|_, _| Ok(vec![caller(1, 9)]));
    ports.ledger.expect_top().returning(|_, _| Ok((1..=20).map(|id| caller(id, 1)).collect()));
    let answer = get(ports, "/top?limit=12").await.json();
    assert_eq!(answer["top"].as_array().unwrap().len(), 12);
    assert_eq!(answer["top"][0], json!({"userId": 1, "calls": 9}));
}

#[actix_web::test]
async fn count_of_a_window_states_its_error() {
    let answer = get(history("ping"), "/count?window=today").await.json();
    assert_eq!((&answer["estimatedCount"], &answer["standardError"]), (&json!(1), &json!(0.008_125)));
    let mut ports = Ports::new();
    ports.tracker.expect_distinct().returning(|_| Ok(150));
    assert_eq!(get(ports, "/count?api=ping").await.json()["estimatedCount"], 150);
}

#[actix_web::test]
async fn calls_are_told_step_by_step() {
    let mut ports = Ports::new();
    let outcomes = Outcomes { admitted: 1, limited: 3, repeated: 2, refused: 4 };
    ports.history.expect_series().returning(move |_, _, from, _| Ok(vec![(from, outcomes)]));
    let answer = get(ports, "/calls?window=24h&step=hour").await.json();
    assert_eq!((&answer["step"], &answer["window"]), (&json!("hour"), &json!("24h")));
    let points = answer["points"].as_array().unwrap();
    assert!([25, 26].contains(&points.len()), "{}", points.len());
    let first = json!({"start": answer["from"], "admitted": 1, "limited": 3, "repeated": 2, "refused": 4});
    assert_eq!(points[0], first);
    assert_eq!(points[1]["admitted"], 0);
}

#[actix_web::test]
async fn a_store_that_is_away_is_503_where_nothing_is_known() {
    for uri in ["/top?window=24h", "/count?window=24h", "/calls"] {
        let mut ports = Ports::new();
        ports.history.expect_sketches().returning(|_, _, _, _| Err(down()));
        ports.history.expect_series().returning(|_, _, _, _| Err(down()));
        let answer = get(ports, uri).await;
        answer.problem(503, "Service Unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"), "{uri}");
    }
}

#[actix_web::test]
async fn what_cannot_be_asked_for_is_named() {
    for (uri, said) in [
        ("/top?window=1h", "window must be one of today, 24h, 7d, 30d, all!"),
        ("/top?by=", "by must be calls or limited!"),
        ("/top?limit=0", "limit must be a whole number from 1 to 100!"),
        ("/top?limit=101", "limit must be a whole number from 1 to 100!"),
        ("/top?limit=ten", "limit must be a whole number from 1 to 100!"),
        ("/top?step=day", "The parameters here are api, window, by, limit!"),
        ("/count?by=calls", "The parameters here are api, window!"),
        ("/count?window=7d&window=30d", "Each parameter must be given once!"),
        ("/calls?step=second", "step must be one of minute, hour, day!"),
        (
            "/calls?window=7d&step=minute",
            "Minutes are kept for 24 hours and hours for 30 days, so this window has longer steps!",
        ),
        ("/calls?api=Ping", "api: a name here has 1 to 64 characters of a-z, 0-9, '.', '_' and '-'!"),
    ] {
        assert_eq!(get(Ports::new(), uri).await.problem(400, "Bad Request"), said, "{uri}");
    }
}

#[actix_web::test]
async fn an_api_that_nobody_knows_is_404_unless_it_was_called_once() {
    let said = "No calls are counted under this name!";
    for uri in
        ["/top?api=nobody&window=7d", "/count?api=nobody&window=7d", "/calls?api=nobody", "/top?api=nobody"]
    {
        // Nothing else is asked for.
        let mut ports = Ports::new();
        ports.history.expect_apis().once().returning(|| Ok(vec![]));
        assert_eq!(get(ports, uri).await.problem(404, "Not Found"), said);
    }
    let uri = "/top?api=nobody&window=7d";
    assert_eq!(get(history("nobody"), uri).await.status, 200, "no policy names it any more");
    let mut ports = Ports::new();
    ports.history.expect_apis().returning(|| Err(down()));
    get(ports, uri).await.problem(503, "Service Unavailable");
    assert_eq!(get(history("other"), "/top?api=orders&window=7d").await.json()["top"], json!([]));
}
