//! Walls around the manifests: one table of versions, one set of lints.

use toml::{Table, Value};

use crate::assert_none;
use crate::workspace::files;

/// The dependencies of a manifest that do not come from the workspace's table.
fn own_versions(path: &str, manifest: &str) -> Vec<String> {
    let manifest: Table = manifest.parse().unwrap();
    let mut places = vec![&manifest];
    if let Some(Value::Table(targets)) = manifest.get("target") {
        places.extend(targets.values().filter_map(Value::as_table));
    }
    let mut found = Vec::new();
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let tables = places.iter().filter_map(|place| place.get(kind)?.as_table());
        let wild = tables.flatten().filter(|(_, value)| !is_of_workspace(value) && !is_itself(kind, value));
        found.extend(wild.map(|(name, _)| format!("{path}: {name} has a version or a source of its own")));
    }
    found
}

fn is_of_workspace(dependency: &Value) -> bool {
    dependency.get("workspace").and_then(Value::as_bool) == Some(true)
}

/// A member that tests itself with a feature turned on: with a version it could never be published the first time.
fn is_itself(kind: &str, dependency: &Value) -> bool {
    kind == "dev-dependencies"
        && dependency.get("path").and_then(Value::as_str) == Some(".")
        && dependency.get("version").is_none()
}

fn own_lints(path: &str, manifest: &str) -> Option<String> {
    let manifest: Table = manifest.parse().unwrap();
    let obeys = manifest.get("lints").is_some_and(is_of_workspace);
    (!obeys).then(|| format!("{path} lacks `[lints] workspace = true`"))
}

/// The features by which a manifest would turn bugs on for somebody who did not ask: `sabotage` may only turn on `sabotage`.
fn bugs_unasked(path: &str, manifest: &str) -> Vec<String> {
    let manifest: Table = manifest.parse().unwrap();
    let is_bug = |name: &Value| name.as_str().is_some_and(|name| name.ends_with("sabotage"));
    let brings = |value: &Value| value.as_array().is_some_and(|brought| brought.iter().any(is_bug));
    let features = manifest.get("features").and_then(Value::as_table).into_iter().flatten();
    let by_feature = features.filter(|(name, brought)| *name != "sabotage" && brings(brought));
    let dependencies = ["dependencies", "dev-dependencies", "build-dependencies"];
    let tables = dependencies.into_iter().filter_map(|kind| manifest.get(kind)?.as_table());
    let by_dependency = tables.flatten().filter(|(_, value)| value.get("features").is_some_and(brings));
    by_feature
        .chain(by_dependency)
        .map(|(name, _)| format!("{path}: {name} turns on the feature sabotage"))
        .collect()
}

#[test]
fn nobody_gets_bugs_without_asking() {
    let found: Vec<_> =
        files("/Cargo.toml").iter().flat_map(|(path, text)| bugs_unasked(path, text)).collect();
    assert_none(&found, "the feature sabotage is turned on by hand, for tests of the tests");
}

#[test]
fn every_version_is_in_the_one_table() {
    let found: Vec<_> =
        files("/Cargo.toml").iter().flat_map(|(path, text)| own_versions(path, text)).collect();
    assert_none(&found, "a dependency says `.workspace = true`; its version is in the root Cargo.toml");
}

#[test]
fn every_member_obeys_the_lints_of_the_workspace() {
    let found: Vec<_> =
        files("/Cargo.toml").iter().filter_map(|(path, text)| own_lints(path, text)).collect();
    assert_none(&found, "lints are set in the root Cargo.toml");
}

#[test]
fn the_walls_see_own_versions_and_lints() {
    let manifest = r#"
        [dependencies]
        good.workspace = true
        better = { workspace = true, features = ["x"] }
        bad = "1"
        [dev-dependencies]
        itself = { path = ".", features = ["mock"] }
        near = { path = "../near" }
        [target.'cfg(unix)'.build-dependencies]
        worse = { git = "somewhere" }
    "#;
    let found = own_versions("a/Cargo.toml", manifest).join("\n");
    for name in ["bad", "near", "worse"] {
        assert!(found.contains(&format!("a/Cargo.toml: {name} ")), "{name} is not in {found}");
    }
    assert_eq!(found.lines().count(), 3);
    assert!(own_lints("a/Cargo.toml", manifest).is_some());
    assert_eq!(own_lints("a/Cargo.toml", "[lints]\nworkspace = true"), None);
}

#[test]
fn the_wall_sees_bugs_that_nobody_asked_for() {
    let manifest = r#"
        [features]
        default = ["core/sabotage"]
        sabotage = ["core/sabotage"]
        [dependencies]
        core = { workspace = true, features = ["sabotage"] }
        other = { workspace = true, features = ["mock"] }
    "#;
    let found = bugs_unasked("a/Cargo.toml", manifest).join("\n");
    assert!(found.contains(": default ") && found.contains(": core "), "{found}");
    assert_eq!(found.lines().count(), 2);
}
