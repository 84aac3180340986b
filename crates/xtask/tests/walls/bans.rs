//! Walls around what we depend on: the bans of `deny.toml`, which cargo-deny reads too.

use std::fs;

use toml::{Table, Value};

use crate::assert_none;
use crate::workspace::{metadata, root};

/// The crates that a `deny.toml` bans.
fn banned(deny: &str) -> Vec<String> {
    let deny: Table = deny.parse().unwrap();
    let bans = deny["bans"]["deny"].as_array().unwrap();
    let name = |ban: &Value| ban.get("crate").and_then(Value::as_str).unwrap().to_owned();
    bans.iter().map(name).collect()
}

#[test]
fn nothing_banned_is_built() {
    let banned = banned(&fs::read_to_string(root().join("deny.toml")).unwrap());
    assert!(!banned.is_empty(), "deny.toml bans nothing: the wall looks in the wrong place");
    let metadata = metadata();
    let found = metadata.packages.iter().map(|package| package.name.to_string());
    assert_none(
        &found.filter(|name| banned.contains(name)).collect::<Vec<_>>(),
        "deny.toml bans these crates",
    );
}

#[test]
fn no_dependency_takes_any_version() {
    let metadata = metadata();
    let mut found = Vec::new();
    for member in metadata.workspace_packages() {
        // Members name each other by path alone.
        let foreign = member.dependencies.iter().filter(|on| on.path.is_none());
        let any = foreign.filter(|on| on.req.to_string() == "*");
        found.extend(any.map(|on| format!("{} takes any version of {}", member.name, on.name)));
    }
    assert_none(&found, "a dependency has a version");
}

#[test]
fn the_wall_reads_bans() {
    let deny = "[bans]\ndeny = [{ crate = \"a\", reason = \"r\" }, { crate = \"b\" }]";
    assert_eq!(banned(deny), ["a", "b"]);
}
