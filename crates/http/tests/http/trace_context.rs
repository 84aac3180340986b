//! What the application behind a proxy is told of the trace that a request belongs to.

use actix_web::{
    App, HttpMessage,
    middleware::from_fn,
    test::{call_service, init_service},
};
use tollbar_http::{TraceContext, configure, request_span};

use crate::{
    authz::{LOCAL, WAYS, gate, request},
    support::Ports,
};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// What of it an answer has, to a proxy that asks so.
async fn told(way: &str, token: &str, trace: Option<TraceContext>) -> [Option<String>; 2] {
    let services = Ports { gate: gate(), ..Ports::new() }.services();
    let app = App::new().configure(configure(services)).wrap(from_fn(request_span));
    let request = request(way, "GET", "/orders/7", token, LOCAL).insert_header(("traceparent", "theirs"));
    let request = request.to_request();
    if let Some(trace) = trace {
        request.extensions_mut().insert(trace);
    }
    let answer = call_service(&init_service(app).await, request).await;
    ["traceparent", "tracestate"]
        .map(|name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()))
}

#[actix_web::test]
async fn an_allow_passes_on_what_surrounds_the_app_says() {
    for way in WAYS {
        let stated = TraceContext::new(PARENT, "a=1,b=2");
        assert_eq!(stated.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        let both = [Some(PARENT.to_owned()), Some("a=1,b=2".to_owned())];
        assert_eq!(told(way, "live", Some(stated.clone())).await, both, "{way}");
        let bare = TraceContext::new(PARENT, "");
        assert_eq!(told(way, "live", Some(bare)).await, [Some(PARENT.to_owned()), None], "{way}");
        // Nothing goes on from a denial; and without traces nothing is said.
        assert_eq!(told(way, "dead", Some(stated)).await, [None, None], "{way}");
        assert_eq!(told(way, "live", None).await, [None, None], "{way}");
    }
}
