//! A client for Python that is generated from the description, compiled, checked and run.

use std::{fs, path::Path, time::Duration};

use tempfile::TempDir;

use crate::{process::Process, tiers::Tiers, tool::run};

const LIMIT: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generated_client_walks_through_the_api() {
    let tiers = Tiers::embedded();
    let process = Process::start(&tiers, &[]).await;
    let service = format!("http://{}", process.address);
    let (folder, tests) =
        (TempDir::new().unwrap(), Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi"));
    let folder = folder.path();
    // It would format what it writes, which nobody reads here.
    fs::write(folder.join("generator.yaml"), "post_hooks: []\nliteral_enums: true\n").unwrap();
    let url = format!("{service}/openapi.json");
    let generate =
        ["-m", "openapi_python_client", "generate", "--url", &url, "--meta", "none", "--fail-on-warning"];
    let into = ["--config", "generator.yaml", "--output-path", "tollbar_client"];
    run(folder, &[&generate[..], &into].concat(), LIMIT).await;
    run(folder, &["-m", "compileall", "-q", "tollbar_client"], LIMIT).await;
    let walk = tests.join("walk.py");
    let strict = ["-m", "mypy", "--strict", "--no-incremental", "--no-error-summary"];
    run(folder, &[&strict[..], &[walk.to_str().unwrap(), "tollbar_client"]].concat(), LIMIT).await;
    let said = run(folder, &[walk.to_str().unwrap(), &service], LIMIT).await;
    assert!(said.ends_with("walked\n"), "{said}");
}
