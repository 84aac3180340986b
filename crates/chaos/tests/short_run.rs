//! A run of one minute, on the binary that the same build has made for tests.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tollbar_chaos::harness::{Options, Pace, run};

const SEED: u64 = 1;

/// The folder of what is built, two above the tests of this crate.
fn built() -> PathBuf {
    let own = std::env::current_exe().expect("a test knows where it is");
    own.ancestors().nth(2).expect("it is in target/PROFILE/deps").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minute_of_faults_breaks_no_promise() {
    let built = built();
    let tollbar = built.join("tollbar");
    assert!(tollbar.is_file(), "{} is not there: run `cargo build --bin tollbar` first", tollbar.display());
    let options = Options {
        tollbar,
        seed: SEED,
        length: Duration::from_secs(60),
        pace: Pace::debug(),
        folder: built.join("chaos-test"),
        say: Arc::new(|line| eprintln!("{line}")),
    };
    let outcome = run(&options).await.expect("the engines start");
    eprintln!("{}", outcome.page());
    let violations: Vec<_> = outcome.report.violations.iter().map(ToString::to_string).collect();
    assert!(
        outcome.report.is_clean(),
        "seed {SEED}, see {}:\n{}",
        options.folder.display(),
        violations.join("\n")
    );
}
