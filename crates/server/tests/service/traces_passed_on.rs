//! A trace through a proxy: the part of the application behind it is a part of Tollbar's.

use reqwest::Method;
use serde_json::Value;
use tollbar_testkit::WebProxyKind;

use crate::{
    collector::Collector,
    proxy_stage::{Stage, header, problem, told},
    tiers::Tiers,
};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// What the application was told of a request with these headers.
async fn seen(stage: &Stage, headers: &[(&str, &str)]) -> Value {
    let request = stage.request(Method::GET, "/public/x");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.send().await.unwrap().json().await.unwrap()
}

async fn with_traces_its_parent_is_tollbar(kind: WebProxyKind) {
    let collector = Collector::start();
    let set = collector.variables();
    let set: Vec<_> = set.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let stage = Stage::set(kind, Tiers::embedded(), &set).await;
    let joined = seen(&stage, &[("traceparent", PARENT), ("tracestate", "a=1")]).await;
    let begun = seen(&stage, &[]).await;
    assert_eq!((told(&joined, "tracestate"), told(&begun, "tracestate")), ("a=1", ""));
    stage.tollbar.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(stage.tollbar.end().await.0, Some(0));
    let spans = collector.spans();
    for (seen, parent) in [(&joined, &PARENT[36..52]), (&begun, "")] {
        let traceparent = told(seen, "traceparent");
        let ours = spans.iter().find(|span| format!("00-{}-{}-01", span.trace, span.id) == traceparent);
        let ours = ours.unwrap_or_else(|| panic!("{traceparent} is none of {spans:#?}"));
        assert!(ours.name.contains("/authz/") && ours.parent == parent, "{ours:?}");
    }
    assert_eq!(&told(&joined, "traceparent")[3..35], &PARENT[3..35]);
}

async fn without_traces_its_parent_is_the_clients(kind: WebProxyKind) {
    let stage = Stage::set(kind, Tiers::embedded(), &[]).await;
    let joined = seen(&stage, &[("traceparent", PARENT), ("tracestate", "a=1")]).await;
    assert_eq!((told(&joined, "traceparent"), told(&joined, "tracestate")), (PARENT, "a=1"));
    assert_eq!(told(&seen(&stage, &[]).await, "traceparent"), "");
}

async fn a_denial_has_the_id_of_its_request(kind: WebProxyKind) {
    let stage = Stage::set(kind, Tiers::embedded(), &[]).await;
    let request = stage.request(Method::GET, "/orders/7").header("x-request-id", "walk-7");
    let denied = request.send().await.unwrap();
    assert_eq!(header(&denied, "x-request-id"), Some("walk-7"));
    assert_eq!(problem(denied, 401).await["requestId"], "walk-7");
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
    with_traces_its_parent_is_tollbar
    without_traces_its_parent_is_the_clients
    a_denial_has_the_id_of_its_request
}
