//! Walls around what others wrote: licences that `deny.toml` allows, from crates.io alone.
//!
//! The rules are those of cargo-deny, whose file they read; cargo-deny itself takes too long to install in CI.

use std::collections::BTreeSet;
use std::fs;

use cargo_metadata::{DependencyKind, Metadata, Package, PackageId};
use spdx::{Expression, Licensee, ParseMode};
use toml::{Table, Value};

use crate::assert_none;
use crate::workspace::{metadata, root};

/// The allowed licences of a `deny.toml`.
fn allowed(deny: &str) -> Vec<Licensee> {
    let deny: Table = deny.parse().unwrap();
    let list = deny["licenses"]["allow"].as_array().unwrap();
    list.iter().filter_map(Value::as_str).map(|name| Licensee::parse(name).unwrap()).collect()
}

fn is_allowed(licence: &str, allowed: &[Licensee]) -> bool {
    let expression = Expression::parse_mode(licence, ParseMode::LAX);
    expression.is_ok_and(|expression| {
        expression.evaluate(|asked| allowed.iter().any(|licence| licence.satisfies(asked)))
    })
}

/// What the published members are built from, themselves included.
fn shipped(metadata: &Metadata) -> Vec<&Package> {
    let resolve = metadata.resolve.as_ref().unwrap();
    // `publish = false` reaches us as an empty list of registries.
    let published = |member: &&&Package| member.publish.as_ref().is_none_or(|to| !to.is_empty());
    let mut waiting: Vec<&PackageId> =
        metadata.workspace_packages().iter().filter(published).map(|member| &member.id).collect();
    let mut reached = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if reached.insert(id) {
            let node = resolve.nodes.iter().find(|node| node.id == *id).unwrap();
            let built = node
                .deps
                .iter()
                .filter(|on| on.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development));
            waiting.extend(built.map(|on| &on.pkg));
        }
    }
    metadata.packages.iter().filter(|package| reached.contains(&package.id)).collect()
}

#[test]
fn what_ships_has_licences_that_we_allow() {
    let allowed = allowed(&fs::read_to_string(root().join("deny.toml")).unwrap());
    let metadata = metadata();
    let packages = shipped(&metadata);
    let licence = |package: &Package| package.license.clone().unwrap_or_else(|| "no licence".to_owned());
    let bad = packages.iter().filter(|package| !is_allowed(&licence(package), &allowed));
    let found: Vec<_> =
        bad.map(|package| format!("{} {}: {}", package.name, package.version, licence(package))).collect();
    assert_none(&found, "deny.toml does not allow these licences");
}

#[test]
fn everything_comes_from_crates_io_or_the_workspace() {
    let metadata = metadata();
    let ours = |package: &Package| metadata.workspace_members.contains(&package.id);
    let known = |package: &Package| package.source.as_ref().is_some_and(cargo_metadata::Source::is_crates_io);
    let bad = metadata.packages.iter().filter(|package| !ours(package) && !known(package));
    let found: Vec<_> =
        bad.map(|package| format!("{} comes from {:?}", package.name, package.source)).collect();
    assert_none(&found, "dependencies come from crates.io");
}

#[test]
fn the_wall_reads_expressions() {
    let allowed = allowed("[licenses]\nallow = [\"MIT\", \"Apache-2.0 WITH LLVM-exception\"]");
    for good in
        ["MIT", "MIT OR GPL-3.0", "GPL-3.0-only OR MIT", "MIT/Apache-2.0", "Apache-2.0 WITH LLVM-exception"]
    {
        assert!(is_allowed(good, &allowed), "{good}");
    }
    for bad in ["GPL-3.0-only", "MIT AND GPL-3.0-only", "Apache-2.0", "no licence", ""] {
        assert!(!is_allowed(bad, &allowed), "{bad}");
    }
}
