//! Scopes and resources of an app's own behind the bar, beside Tollbar's routes.

use std::time::Duration;

use actix_web::{
    App, Error, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::{Next, from_fn},
    test::{TestRequest, call_service, init_service, read_body, read_body_json, try_call_service},
    web,
};
use serde_json::Value;
use tollbar_core::{
    domain::{UserId, Version},
    ports::{Admission, MockGate},
};
use tollbar_http::{ApiError, BarOptions, CurrentUser, Guard, configure};

use crate::support::{Ports, bar, decision};

fn gate() -> MockGate {
    let mut gate = MockGate::new();
    gate.expect_admit().returning(|token, _| {
        let user = UserId::new(7).unwrap();
        let (session, decision) = (Version::new(3), |wait| decision([Duration::from_secs(wait); 2]));
        Ok(match token {
            "live" => Admission::Admitted { user, session, decision: decision(0) },
            "eager" => Admission::Limited { user, decision: decision(5) },
            _ => Admission::Unauthenticated,
        })
    });
    gate
}

async fn order(caller: CurrentUser) -> String {
    format!("an order of {} in session {}", caller.user, caller.session.get())
}

/// A middleware between the guard and the handlers, which fails instead of answering.
async fn no_patch<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if request.method() == "PATCH" {
        return Err(ApiError::invalid("Not so!").into());
    }
    next.call(request).await
}

async fn broken() -> Result<HttpResponse, ApiError> {
    Err(ApiError::invalid("Not so!"))
}

#[actix_web::test]
async fn a_scope_runs_for_admitted_calls_only_and_every_answer_tells_the_limits() {
    let guard = Guard::new(bar(gate(), BarOptions::default()));
    let orders = web::scope("/orders")
        .wrap(from_fn(no_patch))
        .wrap(guard.clone())
        .route("/{id}", web::get().to(order))
        .route("/{id}", web::post().to(broken));
    let toll = web::scope("/toll").configure(configure(Ports::new().services()));
    let app = App::new().service(orders).service(toll).route("/bare", web::get().to(order));
    let app = init_service(app).await;
    let ask = |method: &str, path, token: &str| {
        let request = TestRequest::with_uri(path).method(method.parse().unwrap());
        request.insert_header(("authorization", format!("Bearer {token}"))).to_request()
    };
    let answer = call_service(&app, ask("GET", "/orders/7", "live")).await;
    assert_eq!(answer.headers().get("ratelimit").unwrap(), r#""5s";r=0, "1m";r=0"#);
    assert_eq!(read_body(answer).await, "an order of 7 in session 3");
    // Also on an error of the handler's own, and where no handler is.
    for (method, path, status) in [("POST", "/orders/7", 400), ("PUT", "/orders/7", 404)] {
        let answer = call_service(&app, ask(method, path, "live")).await;
        assert_eq!(answer.status().as_u16(), status);
        assert!(answer.headers().contains_key("ratelimit-policy"), "{method} {path}");
    }
    let failed = try_call_service(&app, ask("PATCH", "/orders/7", "live")).await.unwrap_err();
    let answer = failed.error_response();
    assert_eq!(answer.status().as_u16(), 400);
    assert!(answer.headers().contains_key("ratelimit-policy"));
    for (token, status) in [("eager", 429), ("dead", 401)] {
        let answer = call_service(&app, ask("GET", "/orders/7", token)).await;
        assert_eq!(answer.status().as_u16(), status);
        assert_eq!(answer.headers().contains_key("ratelimit"), status == 429);
        assert_eq!(read_body_json::<Value, _>(answer).await["status"], status);
    }
    assert_eq!(read_body(call_service(&app, ask("GET", "/toll/healthz", "")).await).await, "{}");
    // Forgetting the guard is a mistake of the app's, not an open bar.
    assert_eq!(call_service(&app, ask("GET", "/bare", "live")).await.status().as_u16(), 500);
}
