//! A handler of an app's own behind the bar, under a scope, beside Tollbar's routes.

use std::{sync::Arc, time::Duration};

use actix_web::{
    App,
    test::{TestRequest, call_and_read_body, call_service, init_service, read_body_json},
    web,
};
use serde_json::Value;
use tollbar_core::{
    domain::UserId,
    ports::{Admission, MockGate},
};
use tollbar_http::{Admitted, Guard, configure};

use crate::support::{Ports, decision, policy};

async fn orders(caller: Admitted) -> String {
    format!("orders of {}", caller.user)
}

#[actix_web::test]
async fn an_own_handler_runs_for_admitted_calls_only() {
    let mut gate = MockGate::new();
    gate.expect_admit().returning(|token, _| {
        let user = UserId::new(7).unwrap();
        Ok(match token {
            "live" => Admission::Admitted { user, decision: decision([Duration::ZERO; 2]) },
            "eager" => Admission::Limited { user, decision: decision([Duration::from_secs(5); 2]) },
            _ => Admission::Unauthenticated,
        })
    });
    let guard = Guard::new(Arc::new(gate), Arc::new(policy()));
    let own = web::resource("/orders").app_data(guard).route(web::get().to(orders));
    let toll = web::scope("/toll").configure(configure(Ports::new().services()));
    let app = init_service(App::new().service(own).service(toll).route("/bare", web::get().to(orders))).await;

    let ask = |path, token: &str| {
        TestRequest::with_uri(path).insert_header(("authorization", format!("Bearer {token}"))).to_request()
    };
    assert_eq!(call_and_read_body(&app, ask("/orders", "live")).await, "orders of 7");
    for (token, status) in [("eager", 429), ("dead", 401)] {
        let answer = call_service(&app, ask("/orders", token)).await;
        assert_eq!(answer.status().as_u16(), status);
        assert_eq!(read_body_json::<Value, _>(answer).await["status"], status);
    }
    assert_eq!(call_and_read_body(&app, ask("/toll/healthz", "")).await, "{}");
    // Forgetting the guard is a mistake of the app's, not an open bar.
    assert_eq!(call_service(&app, ask("/bare", "live")).await.status().as_u16(), 500);
}
