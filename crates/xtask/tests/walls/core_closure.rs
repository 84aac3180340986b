//! Wall: core reaches no driver, no web framework and no database, and only the tame parts of tokio.

use std::env;
use std::process::Command;

use crate::assert_none;
use crate::workspace::{root, run};

/// Crates whose names begin so, on a word's end, talk to the network, to a database or over HTTP.
const FORBIDDEN: [&str; 32] = [
    "actix",
    "axum",
    "bb8",
    "curl",
    "deadpool",
    "diesel",
    "fred",
    "h2",
    "hyper",
    "isahc",
    "libsqlite3",
    "mio",
    "mongodb",
    "mysql",
    "native-tls",
    "openssl",
    "postgres",
    "quinn",
    "r2d2",
    "redis",
    "reqwest",
    "rocket",
    "rusqlite",
    "rustls",
    "sea-orm",
    "socket2",
    "sqlx",
    "tokio-postgres",
    "tonic",
    "tower",
    "ureq",
    "warp",
];

const TOKIO_FEATURES: [&str; 4] = ["default", "rt", "sync", "time"];

/// What of a dependency tree, one `name version|features` a line, core must not reach.
fn offenders(tree: &str) -> Vec<String> {
    let mut found: Vec<_> = tree.lines().filter_map(offence).collect();
    found.sort();
    found.dedup();
    found
}

fn offence(line: &str) -> Option<String> {
    let (package, features) = line.split_once('|')?;
    let name = package.split_whitespace().next()?;
    if FORBIDDEN.iter().any(|forbidden| is_of(name, forbidden)) {
        return Some(format!("tollbar-core reaches {package}"));
    }
    let features = features.trim_end_matches(" (*)").split(',').filter(|feature| !feature.is_empty());
    let wild: Vec<_> = features.filter(|feature| !TOKIO_FEATURES.contains(feature)).collect();
    (name == "tokio" && !wild.is_empty())
        .then(|| format!("tollbar-core turns on {} of tokio", wild.join(", ")))
}

fn is_of(name: &str, family: &str) -> bool {
    name.strip_prefix(family).is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphabetic()))
}

#[test]
fn core_reaches_no_engine_and_no_network() {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // cargo tree resolves the features of core alone; cargo metadata would mix in those that others turn on.
    let tree = run(cargo.current_dir(root()).args(["tree", "--locked", "--package", "tollbar-core"]).args([
        "--edges",
        "normal",
        "--all-features",
        "--prefix",
        "none",
        "--format",
        "{p}|{f}",
    ]));
    assert!(tree.starts_with("tollbar-core "), "not the tree of core: {tree}");
    assert_none(&offenders(&tree), "core holds domain, ports and use cases, and no I/O");
}

#[test]
fn the_wall_sees_drivers_and_wild_features() {
    let tree = "tollbar-core v0.1.0|mock\nactix-rt v2|\nfred v10|i-keys\ndiesel_derives v2 (proc-macro)|\ntokio v1|rt,net,sync\n\
                postgres-types v1|\ntokio v1|rt,net,sync (*)\n";
    let found = offenders(tree).join("\n");
    for name in ["actix-rt", "fred", "diesel_derives", "postgres-types", "net of tokio"] {
        assert!(found.contains(name), "{name} is not in {found}");
    }
    assert_eq!(found.lines().count(), 5);
}

#[test]
fn the_wall_lets_tame_crates_pass() {
    let tree = "tollbar-core v0.1.0|\ntokio v1|default,rt,sync,time (*)\ncurly v1|\nmiow v1|\nfredo v1|\nfutures-core v1|std\n";
    assert_eq!(offenders(tree), Vec::<String>::new());
}
