//! The chaos run as a command; `cargo xtask chaos` builds what it needs and calls it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its terminal")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use tollbar_chaos::harness::{ChaosError, Options, Outcome, Pace, run};

/// Breaks everything Tollbar stands on, one thing at a time, and counts the promises that are not kept.
#[derive(Parser)]
struct Arguments {
    /// The server's binary
    #[arg(long)]
    tollbar: PathBuf,
    /// Where logs and histories of what went wrong are kept
    #[arg(long)]
    folder: PathBuf,
    /// How long faults are injected
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Chooses the faults and what clients do
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    match carry_out(&Arguments::parse()) {
        Ok(outcome) => conclude(&outcome),
        Err(error) => {
            eprintln!("chaos: {}", tollbar_testkit::one_line(&*error));
            ExitCode::FAILURE
        }
    }
}

fn carry_out(arguments: &Arguments) -> Result<Outcome, Box<dyn std::error::Error>> {
    let options = Options {
        tollbar: arguments.tollbar.clone(),
        seed: arguments.seed,
        length: Duration::try_from_secs_f64(arguments.minutes * 60.0)?,
        pace: Pace::release(),
        folder: arguments.folder.clone(),
        say: Arc::new(|line| eprintln!("chaos: {line}")),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome: Result<_, ChaosError> = runtime.block_on(run(&options));
    Ok(outcome?)
}

fn conclude(outcome: &Outcome) -> ExitCode {
    println!("{}", outcome.page());
    for violation in &outcome.report.violations {
        println!("{violation}");
    }
    if outcome.report.is_clean() {
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}
