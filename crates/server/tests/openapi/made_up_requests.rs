//! Requests that schemathesis makes up by the description, good ones and bad ones, for a bounded minute: none is answered by 5xx, or by
//! anything that is not described.

use std::{fs, time::Duration};

use tempfile::TempDir;

use crate::{process::Process, support::PASSWORD, tiers::Tiers, tool::run};

/// For how long, of two times.
const SECONDS: u64 = 30;

/// A quota that no half minute uses up.
const POLICIES: &str = r#"
[[policies]]
name = "ping"
path = "/ping"
windows = [{ name = "burst", quota = 1000000, period = "1s" }]
algorithm = "gcra"
"#;

/// Proxies may ask by any method, but OpenAPI 3.1 can tell of these only.
const METHODS: &str = r#"
[phases.coverage]
unexpected-methods = ["DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"]
"#;

/// Asks by these settings, besides those that hold always.
async fn ask(process: &Process, credentials: &str) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("settings.toml"), format!("{credentials}{METHODS}")).unwrap();
    let url = format!("http://{}/openapi.json", process.address);
    let (seconds, limit) = (SECONDS.to_string(), Duration::from_secs(SECONDS * 4));
    let tool = ["-m", "schemathesis.cli", "--config-file", "settings.toml", "run", &url, "--no-color"];
    // Not whether all that fits the schemas is taken: a name may be taken already, and a step too short for its window.
    let checks = ["--checks", "all", "--exclude-checks", "positive_data_acceptance"];
    // The same requests in each run, so that what fails once fails again.
    let repeatable = ["--seed", "20261130", "--generation-database", "none", "--max-time", &seconds];
    let said = run(folder.path(), &[&tool[..], &checks, &repeatable].concat(), limit).await;
    assert!(said.contains("Fuzzing") && said.contains("Tested: 47"), "{said}");
}

async fn start(tiers: &Tiers) -> Process {
    let config = tiers.folder.path().join("tollbar.toml");
    fs::write(&config, POLICIES).unwrap();
    Process::start_with(tiers, &["--config", config.to_str().unwrap()], &[]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_get_described_answers() {
    let tiers = Tiers::embedded();
    ask(&start(&tiers).await, "[auth]\nauto-signup = false\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_get_described_answers() {
    let tiers = Tiers::embedded();
    let process = start(&tiers).await;
    process.client.signup("somebody").await;
    // Its own logouts end its session, which it then begins anew.
    let login = format!(
        "[auth.dynamic.openapi.bearer]\npath = \"/login\"\nextract_selector = \"/sessionToken\"\nretry_on = [401]\n\
         payload = {{ username = \"somebody\", password = \"{PASSWORD}\" }}\n"
    );
    ask(&process, &login).await;
}
