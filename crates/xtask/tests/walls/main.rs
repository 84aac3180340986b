//! The walls: what must stay true of the whole workspace, held by tests.
//!
//! Each wall is a function from text or a graph to its offenders, shown to fail on made-up input, and one test that
//! finds no offender in the workspace.
#![expect(clippy::unwrap_used, reason = "helpers of tests, where an unwrap is a failed test")]

mod bans;
mod core_closure;
mod crate_graph;
mod licences;
mod manifests;
mod migrations;
mod sources;
mod workspace;

/// Fails with all offenders by name.
#[track_caller]
fn assert_none(offenders: &[String], wall: &str) {
    assert!(offenders.is_empty(), "{wall}:\n  {}", offenders.join("\n  "));
}
