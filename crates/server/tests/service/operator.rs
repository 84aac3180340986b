//! What operators see: metrics, on a listener of their own.

use std::{
    collections::BTreeSet,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use nix::sys::signal::Signal;
use reqwest::Method;
use tollbar_testkit::{PrivateRedis, find_promtool};

use crate::{
    process::Process,
    support::{Client, Service},
    tiers::Tiers,
};

const BIND: (&str, &str) = ("TOLLBAR__ADMIN__BIND", "127.0.0.1:0");

/// All metrics, as text.
async fn metrics(process: &Process) -> String {
    let operators = Client::of(process.operators.expect("it listens for operators"));
    let answer = operators.send(Method::GET, "/metrics", None).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    answer.text().await.unwrap()
}

/// The value of the one line with this name and these labels.
fn value(metrics: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let is_it = |line: &&str| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    };
    let mut lines = metrics.lines().filter(is_it);
    let value = lines.next()?.rsplit(' ').next()?.parse().unwrap();
    assert_eq!(lines.next(), None, "more than one is {name} {labels:?}");
    Some(value)
}

/// Ends it, and its test with it where it does not end in order.
async fn end(process: Process) {
    process.signal(Signal::SIGTERM);
    assert_eq!(process.end().await.0, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_measured_by_policy_and_outcome_and_never_by_user() {
    for tiers in [Tiers::embedded(), Tiers::new(true, true)] {
        let process = Process::start(&tiers, &[BIND]).await;
        let client = &process.client;
        client.signup("somebody").await;
        let token = client.login("somebody").await;
        for status in [200, 429, 429] {
            assert_eq!(client.ping(&token).await.0, status);
        }
        assert_eq!(client.ping("tbs_x").await.0, 401);
        assert_eq!(client.send(Method::GET, "/nowhere/somebody", None).await.status(), 404);
        assert_eq!(client.send(Method::from_bytes(b"BREW").unwrap(), "/ping", None).await.status(), 405);
        assert_eq!(client.send(Method::GET, "/metrics", None).await.status(), 404, "it is not for clients");
        for path in ["somebody", "somebody/else"] {
            let asked = client.send(Method::GET, &format!("/authz/envoy/{path}"), None).await;
            assert_eq!(asked.status(), 401);
        }

        let all = metrics(&process).await;
        let decisions = |outcome| {
            let labels = ["policy=\"ping\"", &format!("outcome=\"{outcome}\"")];
            value(&all, "tollbar_decisions_total", &labels)
        };
        let outcomes = ["admitted", "limited", "repeated", "refused", "shadowed", "failed"].map(decisions);
        assert_eq!(outcomes, [1.0, 1.0, 1.0, 1.0, 0.0, 0.0].map(Some), "{all}");
        for (labels, count) in [
            (["method=\"GET\"", "route=\"/ping\"", "status=\"429\""], 2.0),
            (["method=\"POST\"", "route=\"/signup\"", "status=\"200\""], 1.0),
            (["method=\"GET\"", "route=\"none\"", "status=\"404\""], 2.0),
            (["method=\"other\"", "route=\"/ping\"", "status=\"405\""], 1.0),
            (["method=\"GET\"", "route=\"/authz/envoy\"", "status=\"401\""], 2.0),
        ] {
            assert_eq!(value(&all, "tollbar_http_requests_total", &labels), Some(count), "{all}");
        }
        let denied = ["method=\"GET\"", "route=\"/ping\"", "status=\"429\""];
        assert_eq!(value(&all, "tollbar_http_request_duration_seconds_count", &denied), Some(2.0));
        assert!(!all.contains("route=\"/metrics\""), "operators are no clients: {all}");
        let denials =
            ["hit", "miss"].map(|result| value(&all, "tollbar_deny_cache_lookups_total", &[result]));
        assert_eq!(denials, [Some(1.0), Some(2.0)], "{all}");
        let (engine, server) = if tiers.redis.is_some() { ("redis", "") } else { ("sqlite", "writer") };
        let pool = value(&all, "tollbar_pool_connections", &[engine, server]);
        assert!(pool.is_some_and(|connections| connections >= 1.0), "{all}");
        assert!(value(&all, "tollbar_engine_calls_in_flight", &[engine, server]).is_some(), "{all}");
        assert!(!all.contains("somebody") && !all.contains(&token), "{all}");
        assert_eq!(value(&all, "tollbar_build_info", &[env!("CARGO_PKG_VERSION")]), Some(1.0));
        is_well_formed(&all);
        promtool(&["check", "metrics"], &all);
        end(process).await;
    }
}

/// What Prometheus' own tool says of it: nothing.
fn promtool(arguments: &[&str], input: &str) {
    let mut promtool = Command::new(find_promtool().unwrap());
    let promtool =
        promtool.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = promtool.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn the_rules_for_alarms_are_sound_and_name_only_what_is_measured() {
    let docker = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docker");
    let alerts = docker.join("prometheus/alerts.yml");
    promtool(&["check", "rules", alerts.to_str().unwrap()], "");
    let measured =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/metrics.rs")).unwrap();
    for file in [alerts, docker.join("grafana/dashboards/tollbar.json")] {
        let text = std::fs::read_to_string(&file).unwrap();
        let is_of_name = |letter: char| letter.is_ascii_lowercase() || letter == '_';
        let names =
            text.split(|letter: char| !is_of_name(letter)).filter(|word| word.starts_with("tollbar_"));
        let names: BTreeSet<_> =
            names.map(|name| name.trim_end_matches("_bucket").trim_end_matches("_count")).collect();
        assert!(names.len() > 4, "{names:?}");
        for name in names {
            assert!(measured.contains(&format!("\"{name}\"")), "{name} in {}", file.display());
        }
    }
}

/// Prometheus' conventions, as far as a look can tell: each metric is described, counters end in `_total`, and no name is of another.
fn is_well_formed(metrics: &str) {
    let names_behind = |mark: &str| -> BTreeSet<String> {
        let lines = metrics.lines().filter_map(|line| line.strip_prefix(mark));
        lines.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    let (typed, described) = (names_behind("# TYPE "), names_behind("# HELP "));
    assert!(typed.is_subset(&described), "{typed:?} {described:?}");
    assert!(typed.iter().all(|name| name.starts_with("tollbar_")), "{typed:?}");
    for line in metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_sessions_that_redis_did_not_hear_of_is_counted() {
    let mut redis = PrivateRedis::start();
    let (tiers, url) = (Tiers::new(false, false), redis.url());
    let process = Process::start(&tiers, &[BIND, ("TOLLBAR__REDIS__URL", &url)]).await;
    process.client.signup("user1").await;
    process.client.login("user1").await;
    let unconfirmed = |all: &str| value(all, "tollbar_session_changes_unconfirmed_total", &[]);
    assert_eq!(unconfirmed(&metrics(&process).await), Some(0.0));
    redis.kill9();
    let token = process.client.login("user1").await;
    let all = metrics(&process).await;
    assert_eq!(unconfirmed(&all), Some(1.0), "{all}");
    assert_eq!(process.client.ping(&token).await.0, 503);
    let all = metrics(&process).await;
    assert_eq!(value(&all, "tollbar_decisions_total", &["policy=\"ping\"", "\"failed\""]), Some(1.0));
    end(process).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_only_read_says_so() {
    let process = Process::start(&Tiers::embedded(), &[BIND]).await;
    let operators = Client::of(process.operators.unwrap());
    let answer = operators.send(Method::POST, "/metrics", None).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["allow"]), (405, &"GET".parse().unwrap()));
    end(process).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let failed = Service::try_start(&Tiers::embedded(), &[("TOLLBAR__ADMIN__BIND", &address)]).await;
    assert_eq!(failed.err().unwrap().to_string(), format!("cannot listen on {address}"));
}
