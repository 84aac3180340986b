//! `/healthz` and `/readyz`.

use actix_web::test::TestRequest;

use crate::support::{Answer, Ports, ask, down};

async fn readyz(durable: bool, live: bool, stopping: bool) -> Answer {
    let mut ports = Ports::new();
    for (tier, up) in [(&mut ports.durable, durable), (&mut ports.live, live)] {
        tier.expect_check().returning(move || if up { Ok(()) } else { Err(down()) });
    }
    let services = ports.services();
    if stopping {
        services.shutdown.begin();
    }
    ask(services, TestRequest::get().uri("/readyz")).await
}

#[actix_web::test]
async fn liveness_touches_nothing() {
    let answer = ask(Ports::new().services(), TestRequest::get().uri("/healthz")).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "{}"));
}

#[actix_web::test]
async fn readiness_names_each_dependency_and_its_state() {
    for (durable, live, stopping, status, body) in [
        (true, true, false, 200, r#"{"status":"ready","dependencies":{"memory":"up","sqlite":"up"}}"#),
        (true, false, false, 200, r#"{"status":"degraded","dependencies":{"memory":"down","sqlite":"up"}}"#),
        (false, true, false, 200, r#"{"status":"degraded","dependencies":{"memory":"up","sqlite":"down"}}"#),
    ] {
        let answer = readyz(durable, live, stopping).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (status, body));
    }
}

#[actix_web::test]
async fn what_is_not_ready_is_a_problem_that_says_when_to_ask_again() {
    for (up, stopping, state) in [(false, false, "down"), (true, true, "up")] {
        let answer = readyz(up, up, stopping).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("1")));
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let body = format!(
            r#"{{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"The service is not ready!","error":"The service is not ready!","dependencies":{{"memory":"{state}","sqlite":"{state}"}},"requestId":"{id}"}}"#,
            id = answer.header("x-request-id").unwrap()
        );
        assert_eq!(answer.body, body);
    }
}
