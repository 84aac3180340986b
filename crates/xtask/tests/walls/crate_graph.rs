//! Walls between the crates: who of the workspace may depend on whom (normal and build dependencies).

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::DependencyKind;

use crate::assert_none;
use crate::workspace::metadata;

type Graph = BTreeMap<String, BTreeSet<String>>;

const SERVER: &str = "tollbar";
const CORE: &str = "tollbar-core";
const ADAPTERS: [&str; 4] = ["tollbar-memory", "tollbar-postgres", "tollbar-redis", "tollbar-sqlite"];
const OUTER: [&str; 3] = ["tollbar-contract", "tollbar-http", "tollbar-tower"];
/// What the web frameworks share.
const WIRE: &str = "tollbar-wire";
const UNSHIPPED: [&str; 4] = ["bench", "tollbar-chaos", "tollbar-testkit", "xtask"];

/// Reads configuration, which is the server's business.
const CONFIG: &str = "config";

/// The members, and on which crates each of them depends.
fn graph() -> Graph {
    let metadata = metadata();
    let members = metadata.workspace_packages();
    let edges = |member: &cargo_metadata::Package| -> BTreeSet<String> {
        let shipped = member.dependencies.iter().filter(|on| on.kind != DependencyKind::Development);
        shipped.map(|on| on.name.clone()).collect()
    };
    let graph: Graph = members.iter().map(|member| (member.name.to_string(), edges(member))).collect();
    for name in ADAPTERS.iter().chain(&OUTER).chain(&UNSHIPPED).chain([&SERVER, &CORE, &WIRE]) {
        assert!(graph.contains_key(*name), "{name} is not in the workspace any more: adjust the wall");
    }
    for name in graph.keys() {
        assert!(is_member(name), "{name} is new in the workspace: say in the wall what it is");
    }
    graph
}

/// The edges that a rule forbids.
fn offenders(graph: &Graph, forbidden: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let edges = graph.iter().flat_map(|(from, all)| all.iter().map(move |to| (from, to)));
    edges
        .filter(|(from, to)| forbidden(from, to))
        .map(|(from, to)| format!("{from} depends on {to}"))
        .collect()
}

fn is_adapter(name: &str) -> bool {
    ADAPTERS.contains(&name)
}

fn is_member(name: &str) -> bool {
    name == SERVER
        || name == CORE
        || name == WIRE
        || is_adapter(name)
        || OUTER.contains(&name)
        || UNSHIPPED.contains(&name)
}

fn adapter_on_adapter(from: &str, to: &str) -> bool {
    is_adapter(from) && is_adapter(to)
}

/// What does not ship may reach further: the benchmark composes tiers of its own to compare with.
fn other_than_server_on_adapter(from: &str, to: &str) -> bool {
    from != SERVER && !UNSHIPPED.contains(&from) && is_adapter(to)
}

fn beyond_core(from: &str, to: &str) -> bool {
    let inner = from == CORE || from == WIRE || is_adapter(from) || OUTER.contains(&from);
    let speaks_http = OUTER.contains(&from) && from != "tollbar-contract";
    inner && is_member(to) && (to != CORE || from == CORE) && !(speaks_http && to == WIRE)
}

fn shipped_on_unshipped(from: &str, to: &str) -> bool {
    !UNSHIPPED.contains(&from) && UNSHIPPED.contains(&to)
}

fn other_than_server_on_config(from: &str, to: &str) -> bool {
    from != SERVER && to == CONFIG
}

#[test]
fn no_adapter_depends_on_another() {
    assert_none(&offenders(&graph(), adapter_on_adapter), "an adapter translates to its own engine only");
}

#[test]
fn only_the_server_depends_on_adapters() {
    assert_none(&offenders(&graph(), other_than_server_on_adapter), "only `tollbar` composes adapters");
}

#[test]
fn all_but_the_server_depend_on_core_alone() {
    assert_none(
        &offenders(&graph(), beyond_core),
        "core knows no member; adapters, wire, http, tower and contract know core; http and tower know wire",
    );
}

#[test]
fn only_the_server_reads_configuration() {
    assert_none(
        &offenders(&graph(), other_than_server_on_config),
        "settings are the server's; crates take values",
    );
}

#[test]
fn what_ships_does_not_depend_on_test_support() {
    assert_none(&offenders(&graph(), shipped_on_unshipped), "testkit, bench and xtask are not published");
}

#[test]
fn the_walls_see_forbidden_edges_and_no_others() {
    let edges = [
        ("tollbar", "tollbar-redis"),
        ("tollbar", "tollbar-testkit"),
        ("tollbar", "config"),
        ("bench", "tollbar-redis"),
        ("tollbar-core", "tollbar-contract"),
        ("tollbar-core", "thiserror"),
        ("tollbar-http", "tollbar-core"),
        ("tollbar-contract", "tollbar-wire"),
        ("tollbar-http", "tollbar-memory"),
        ("tollbar-http", "tollbar-wire"),
        ("tollbar-tower", "tollbar-http"),
        ("tollbar-tower", "tollbar-wire"),
        ("tollbar-wire", "tollbar-core"),
        ("tollbar-wire", "tollbar-http"),
        ("tollbar-redis", "config"),
        ("tollbar-redis", "tollbar-core"),
        ("tollbar-redis", "tollbar-memory"),
        ("tollbar-sqlite", "tollbar-http"),
        ("xtask", "tollbar-testkit"),
    ];
    let mut graph = Graph::new();
    for (from, to) in edges {
        graph.entry(from.into()).or_default().insert(to.into());
    }
    assert_eq!(offenders(&graph, adapter_on_adapter), ["tollbar-redis depends on tollbar-memory"]);
    assert_eq!(
        offenders(&graph, other_than_server_on_adapter),
        ["tollbar-http depends on tollbar-memory", "tollbar-redis depends on tollbar-memory"]
    );
    assert_eq!(
        offenders(&graph, beyond_core),
        [
            "tollbar-contract depends on tollbar-wire",
            "tollbar-core depends on tollbar-contract",
            "tollbar-http depends on tollbar-memory",
            "tollbar-redis depends on tollbar-memory",
            "tollbar-sqlite depends on tollbar-http",
            "tollbar-tower depends on tollbar-http",
            "tollbar-wire depends on tollbar-http",
        ]
    );
    assert_eq!(offenders(&graph, other_than_server_on_config), ["tollbar-redis depends on config"]);
    assert_eq!(offenders(&graph, shipped_on_unshipped), ["tollbar depends on tollbar-testkit"]);
}
