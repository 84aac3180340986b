//! The workspace as cargo and the disk know it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{CargoOpt, Metadata, MetadataCommand};

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// All packages with all features, for this platform: those are the ones that a build has downloaded.
pub(crate) fn metadata() -> Metadata {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = run(Command::new(rustc).arg("-vV"));
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .features(CargoOpt::AllFeatures)
        .other_options(["--locked".to_owned(), "--filter-platform".to_owned(), host.to_owned()])
        .exec()
        .unwrap()
}

/// What a program prints.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Path below the root and text of every file below `crates/` with this ending.
pub(crate) fn files(ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(&root().join("crates"), ending, &mut found);
    assert!(!found.is_empty(), "no {ending} files below crates/: the wall looks in the wrong place");
    found.sort();
    found
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        // Links are not followed: what they lead to is found in its own place.
        if kind.is_dir() && entry.file_name() != "target" {
            collect(&path, ending, found);
        } else if kind.is_file() && path.to_str().unwrap().ends_with(ending) {
            let below = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            found.push((below, fs::read_to_string(&path).unwrap()));
        }
    }
}
