//! The id of a request, and what a panic becomes.

use actix_web::test::TestRequest;

use crate::support::{Ports, ask};

#[actix_web::test]
async fn a_plain_id_is_kept_and_any_other_replaced() {
    let long = "a".repeat(65);
    for (inbound, kept) in
        [("trace-1.A_b", true), ("", false), ("a b", false), ("a\"b", false), (long.as_str(), false)]
    {
        let request = TestRequest::get().uri("/healthz").insert_header(("x-request-id", inbound));
        let answer = ask(Ports::new().services(), request).await;
        let id = answer.header("x-request-id").unwrap().to_owned();
        assert_eq!(id == inbound, kept, "{inbound:?}");
        if !kept {
            assert!(id.len() == 24 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
        }
    }
    let twice = TestRequest::get().uri("/nowhere");
    let twice = twice.append_header(("x-request-id", "a")).append_header(("x-request-id", "b"));
    let answer = ask(Ports::new().services(), twice).await;
    assert_eq!(answer.header("x-request-id").unwrap().len(), 24);
}

#[actix_web::test]
async fn a_panic_is_a_500_with_an_id() {
    let mut ports = Ports::new();
    ports.tracker.expect_distinct().returning(|_| panic!("the test's own panic"));
    let request = TestRequest::get().uri("/count").insert_header(("x-request-id", "p1"));
    let answer = ask(ports.services(), request).await;
    assert_eq!(answer.problem(500, "Internal Server Error"), "The service has made a mistake!");
    assert_eq!(answer.header("x-request-id"), Some("p1"));
}

#[actix_web::test]
async fn an_error_outside_of_the_middleware_has_none() {
    use actix_web::{ResponseError as _, body::to_bytes};
    let answer = tollbar_http::ApiError::NotFound.error_response();
    assert_eq!(answer.headers().get("x-request-id"), None);
    let body = to_bytes(answer.into_body()).await.unwrap();
    assert!(!String::from_utf8_lossy(&body).contains("requestId"));
}
