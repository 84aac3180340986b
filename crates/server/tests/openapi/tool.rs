//! Runs a tool of the Python that tests are given.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::{process::Command, time::timeout};
use tollbar_testkit::python;

/// Runs a module of Python, or a script, in a folder and within a time, and fails with all that it said where it fails.
pub(crate) async fn run(folder: &Path, arguments: &[&str], limit: Duration) -> String {
    let mut tool = Command::new(python());
    tool.args(arguments).current_dir(folder).kill_on_drop(true);
    // Nothing that this machine has set decides what a tool does, and what is written is written here.
    tool.env_clear().env("HOME", folder).env("PYTHONPATH", folder).env("PYTHONDONTWRITEBYTECODE", "1");
    tool.env("PYTHONUTF8", "1").env("COLUMNS", "120");
    tool.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = timeout(limit, tool.output()).await.expect("a tool that ends in time").unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{arguments:?}: {}\n{said}", output.status);
    said
}
