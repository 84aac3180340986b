//! Traces, as a collector of OpenTelemetry's gets them.

use std::{net::TcpListener, time::Duration};

use nix::sys::signal::Signal;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use reqwest::{Method, Response};
use serde_json::Value;
use tokio::time::{sleep, timeout};
use tollbar_testkit::{Certificates, PrivateRedis};

use crate::{
    collector::{Collector, Seen, TOKEN},
    process::Process,
    support::{PASSWORD, account},
    tiers::Tiers,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{PARENT}-{flags}")
}

/// A service whose spans go to this collector.
async fn start(tiers: &Tiers, collector: &Collector, more: &[(&str, &str)]) -> Process {
    let set = collector.variables();
    let set = set.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Process::start(tiers, &set.chain(more.iter().copied()).collect::<Vec<_>>()).await
}

/// Its log, once it has ended in order.
async fn end(process: Process) -> Vec<String> {
    process.signal(Signal::SIGTERM);
    let (code, log, said) = process.end().await;
    assert_eq!((code, said.as_str()), (Some(0), ""), "{log:?}");
    log
}

async fn get(process: &Process, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = process.client.request(Method::GET, path);
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

/// The spans of a trace that are below this one, however deep.
fn below<'a>(spans: &'a [Seen], top: &Seen) -> Vec<&'a Seen> {
    let children = spans.iter().filter(|span| span.trace == top.trace && span.parent == top.id);
    children.flat_map(|child| std::iter::once(child).chain(below(spans, child))).collect()
}

/// The one span of this name in the client's trace.
fn one<'a>(spans: &'a [Seen], name: &str) -> &'a Seen {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name && span.trace == TRACE).collect();
    assert_eq!(found.len(), 1, "{name} in {spans:#?}");
    found[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_a_part_of_its_clients_trace_and_has_its_trips_as_parts() {
    for (tiers, durable) in [(Tiers::embedded(), "sqlite"), (Tiers::new(true, true), "postgresql")] {
        let collector = Collector::start();
        let process = start(&tiers, &collector, &[("TOLLBAR__LOG__LEVEL", "debug")]).await;
        process.client.signup("somebody").await;
        let login = process.client.request(Method::POST, "/login?p=secret").json(&account("somebody"));
        let login =
            login.header("traceparent", traceparent("01")).header("tracestate", "a=1").send().await.unwrap();
        let token = login.json::<Value>().await.unwrap()["sessionToken"].as_str().unwrap().to_owned();
        let (bearer, parent) = (format!("Bearer {token}"), traceparent("01"));
        let said = [("authorization", &*bearer), ("traceparent", &*parent), ("x-request-id", "walk-7")];
        assert_eq!(get(&process, "/ping?p=secret", &said).await.status(), 200);
        assert_eq!(get(&process, "/nowhere/secret", &said[1..]).await.status(), 404);
        let log = end(process).await;

        let spans = collector.spans();
        for (name, method, route, status) in [
            ("POST /login", "POST", "/login", "200"),
            ("GET /ping", "GET", "/ping", "200"),
            ("GET", "GET", "", "404"),
        ] {
            let span = one(&spans, name);
            assert_eq!((span.kind, span.parent.as_str(), span.is_error), (SpanKind::Server, PARENT, false));
            let told = ["http.request.method", "http.route", "http.response.status_code", "url.scheme"];
            assert_eq!(
                told.map(|attribute| span.get(attribute)),
                [method, route, status, "http"],
                "{span:?}"
            );
            assert_eq!(span.service["service.name"], "tollbar");
        }
        assert_eq!(
            (one(&spans, "POST /login").state.as_str(), one(&spans, "GET /ping").state.as_str()),
            ("a=1", "")
        );
        let ping = one(&spans, "GET /ping");
        assert_eq!(ping.get("tollbar.request_id"), "walk-7");

        let login = below(&spans, one(&spans, "POST /login"));
        for operation in ["find a user", "open a session"] {
            let name = format!("{durable} {operation}");
            let trip =
                login.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name}: {login:#?}"));
            assert_eq!((trip.kind, trip.is_error, trip.get("error.type")), (SpanKind::Client, false, ""));
            assert_eq!((trip.get("db.system.name"), trip.get("db.operation.name")), (durable, operation));
            assert_eq!(trip.get("server.port").is_empty(), durable == "sqlite", "{trip:?}");
        }
        if tiers.redis.is_some() {
            let trips = below(&spans, ping);
            let admit = trips.iter().find(|span| span.name == "redis admit a call").unwrap();
            assert_eq!((admit.kind, admit.get("db.system.name")), (SpanKind::Client, "redis"));
            assert!(admit.nanos > 0 && admit.nanos <= ping.nanos, "{admit:?} {ping:?}");
        }
        let all = format!("{spans:?}");
        for secret in ["somebody", "secret", "nowhere", PASSWORD, &token[4..], TOKEN] {
            assert!(!all.contains(secret), "{secret}");
        }
        let answered =
            log.iter().find(|line| line.contains("\"answered\"") && line.contains("walk-7")).unwrap();
        assert!(answered.contains(&format!("\"trace_id\":\"{TRACE}\"")), "{answered}");
        assert!(
            log.iter().all(|line| !line.contains("otel.") && !line.contains("db.system")),
            "spans are not for the log"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_caller_decides_what_is_kept_and_else_the_ratio() {
    let (sampled, unsampled) = (traceparent("01"), traceparent("00"));
    for (ratio, headers, kept) in [
        ("0", vec![], false),
        ("0", vec![("traceparent", sampled.as_str())], true),
        ("1", vec![("traceparent", unsampled.as_str())], false),
        ("1", vec![], true),
    ] {
        let (tiers, collector) = (Tiers::embedded(), Collector::start());
        let process = start(&tiers, &collector, &[("TOLLBAR__TRACES__SAMPLE_RATIO", ratio)]).await;
        assert_eq!(get(&process, "/top", &headers).await.status(), 200);
        end(process).await;
        let spans = collector.spans();
        let tops = spans.iter().filter(|span| span.name == "GET /top");
        assert_eq!(tops.count(), usize::from(kept), "{ratio} {headers:?}");
        // Nothing else is kept of what is not, not even in traces of their own.
        let is_kept = |span: &&Seen| span.trace == TRACE;
        assert_eq!(spans.iter().filter(is_kept).count() > 0, kept && !headers.is_empty());
        assert!(ratio == "1" || spans.iter().all(|span| span.trace == TRACE), "{spans:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_parent_begins_a_trace() {
    let (tiers, collector) = (Tiers::embedded(), Collector::start());
    let process = start(&tiers, &collector, &[]).await;
    let bad = format!("{}-", traceparent("01"));
    assert_eq!(get(&process, "/healthz", &[("traceparent", &bad)]).await.status(), 200);
    end(process).await;
    let spans = collector.spans();
    let top = spans.iter().find(|span| span.name == "GET /healthz").unwrap();
    assert!(top.parent.is_empty() && top.trace != TRACE && top.trace.len() == 32, "{top:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_others_may_share_is_in_the_trace_of_who_began_it() {
    let (tiers, collector) = (Tiers::embedded(), Collector::start());
    let before = Process::start(&tiers, &[]).await;
    before.client.signup("user1").await;
    let bearer = format!("Bearer {}", before.client.login("user1").await);
    end(before).await;
    // It knows of no session yet.
    let process = start(&tiers, &collector, &[]).await;
    let said = [("authorization", &*bearer), ("traceparent", &traceparent("01"))];
    assert_eq!(get(&process, "/ping", &said).await.status(), 200);
    end(process).await;
    let spans = collector.spans();
    let names: Vec<_> = below(&spans, one(&spans, "GET /ping")).iter().map(|span| &*span.name).collect();
    assert_eq!(names, ["load sessions", "sqlite load sessions"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_an_error_in_its_trace() {
    let (mut redis, tiers, collector) = (PrivateRedis::start(), Tiers::embedded(), Collector::start());
    let process = start(&tiers, &collector, &[("TOLLBAR__REDIS__URL", &redis.url())]).await;
    process.client.signup("user1").await;
    let bearer = format!("Bearer {}", process.client.login("user1").await);
    redis.kill9();
    let said = [("authorization", &*bearer), ("traceparent", &traceparent("01"))];
    assert_eq!(get(&process, "/ping", &said).await.status(), 503);
    end(process).await;
    let spans = collector.spans();
    let ping = one(&spans, "GET /ping");
    assert_eq!((ping.is_error, ping.get("error.type")), (true, "503"));
    let trips = below(&spans, ping);
    let admit = trips.iter().find(|span| span.name == "redis admit a call").unwrap();
    assert!(admit.is_error && !admit.get("error.type").is_empty(), "{admit:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_share_a_trip_have_a_span_each() {
    let (tiers, collector) = (Tiers::new(false, true), Collector::start());
    let file = tiers.folder.path().join("many.toml");
    let many =
        "[[policies]]\nname = \"ping\"\npath = \"/ping\"\nwindows = [{ quota = 1000, period = \"1h\" }]\n";
    std::fs::write(&file, many).unwrap();
    let set = collector.variables();
    let set: Vec<_> = set.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let process = Process::start_with(&tiers, &["--config", &file.display().to_string()], &set).await;
    process.client.signup("user1").await;
    let token = process.client.login("user1").await;
    for _ in 0..4 {
        let calls = (0..100).map(|_| {
            let (client, token) = (process.client.clone(), token.clone());
            tokio::spawn(async move { client.ping(&token).await.0 })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap(), 200);
        }
    }
    end(process).await;
    let spans = collector.spans();
    let trips = |top| below(&spans, top).into_iter().filter(|span| span.name == "redis admit a call");
    let pings: Vec<_> = spans.iter().filter(|span| span.name == "GET /ping").collect();
    assert!(pings.len() == 400 && pings.iter().all(|ping| trips(ping).count() == 1));
    // None is a trace of its own.
    assert_eq!(spans.iter().filter(|span| span.name == "redis admit a call").count(), 400);
    let sizes = pings.iter().flat_map(|ping| trips(ping)).map(|trip| trip.get("db.operation.batch.size"));
    let sizes: Vec<usize> = sizes.filter_map(|size| size.parse().ok()).collect();
    assert!(!sizes.is_empty() && sizes.iter().all(|size| (2..=100).contains(size)), "{sizes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_costs_one_warning() {
    let tiers = Tiers::embedded();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    drop(socket);
    let set = [
        ("TOLLBAR__TRACES__ENDPOINT", format!("http://{address}")),
        ("TOLLBAR__TRACES__HEADERS", format!("authorization=Bearer {TOKEN}")),
        ("TOLLBAR__TRACES__TIMEOUT", "300ms".to_owned()),
    ];
    let process = Process::start(&tiers, &set.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
    // As long as several batches take.
    for _ in 0..14 {
        assert_eq!(get(&process, "/top", &[]).await.status(), 200);
        sleep(Duration::from_millis(500)).await;
    }
    let collector = Collector::start_at(TcpListener::bind(address).unwrap());
    assert_eq!(get(&process, "/top", &[]).await.status(), 200);
    sleep(Duration::from_secs(4)).await;
    let log = end(process).await;
    let lines = |text: &str| log.iter().filter(|line| line.contains(text)).cloned().collect::<Vec<_>>();
    let away = lines("traces do not reach the collector");
    assert!(away.len() == 1 && away[0].contains("WARN") && away[0].contains("refused"), "{log:?}");
    assert_eq!(lines("traces reach the collector again").len(), 1, "{log:?}");
    assert!(!collector.spans().is_empty() && lines(TOKEN).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_hangs_delays_neither_a_request_nor_the_end() {
    // It takes connections, since the system does, and never a byte.
    let (tiers, socket) = (Tiers::embedded(), TcpListener::bind("127.0.0.1:0").unwrap());
    let endpoint = format!("http://{}", socket.local_addr().unwrap());
    let set = [
        ("TOLLBAR__TRACES__ENDPOINT", endpoint.as_str()),
        ("TOLLBAR__TRACES__TIMEOUT", "60s"),
        ("TOLLBAR__SERVER__SHUTDOWN_TIMEOUT", "10s"),
    ];
    let process = Process::start(&tiers, &set).await;
    for _ in 0..8 {
        let answer = timeout(Duration::from_secs(1), get(&process, "/top", &[])).await;
        assert_eq!(answer.unwrap().status(), 200);
        sleep(Duration::from_millis(400)).await;
    }
    let log = timeout(Duration::from_secs(4), end(process)).await.expect("it waits for the collector");
    assert!(log.iter().any(|line| line.contains("the last traces did not reach the collector")), "{log:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_behind_tls_is_believed_by_its_certificate_alone() {
    let (tiers, certificates) = (Tiers::embedded(), Certificates::new());
    for (ca, is_believed) in [(certificates.ca(), true), (certificates.other_ca(), false)] {
        let collector = Collector::start_tls(&certificates);
        let process = start(&tiers, &collector, &[("SSL_CERT_FILE", ca.to_str().unwrap())]).await;
        assert_eq!(get(&process, "/top", &[]).await.status(), 200);
        // The last spans are sent at the end.
        let log = end(process).await;
        let refused = log
            .iter()
            .any(|line| line.contains("do not reach the collector") && line.contains("certificate"));
        assert_eq!((collector.spans().is_empty(), refused), (!is_believed, !is_believed), "{log:?}");
    }
}
