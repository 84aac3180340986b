//! The chaos run as a command; `cargo xtask chaos` builds what it needs and calls it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its terminal")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use tollbar_chaos::harness::{Bug, Options, Outcome, Pace, drill, run};

/// Breaks everything Tollbar stands on, one thing at a time, and counts the promises that are not kept.
#[derive(Parser)]
struct Arguments {
    /// The server's binary
    #[arg(long)]
    tollbar: PathBuf,
    /// Where logs and histories of what went wrong are kept
    #[arg(long)]
    folder: PathBuf,
    /// How long faults are injected, 10 unless said; with a bug, each of its two runs, a quarter of a minute unless said
    #[arg(long)]
    minutes: Option<f64>,
    /// Chooses the faults and what clients do
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Whether this bug is found in a build that can be given it: no-lease, logout-keeps-lease, no-stamp, no-epoch-guard,
    /// resend-lost-reply, or a list of them with commas
    #[arg(long, value_delimiter = ',')]
    sabotage: Vec<Bug>,
}

fn main() -> ExitCode {
    match carry_out(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chaos: {}", tollbar_testkit::one_line(&*error));
            ExitCode::FAILURE
        }
    }
}

fn carry_out(arguments: &Arguments) -> Result<bool, Box<dyn std::error::Error>> {
    let minutes = arguments.minutes.unwrap_or(if arguments.sabotage.is_empty() { 10.0 } else { 0.25 });
    let options = Options {
        tollbar: arguments.tollbar.clone(),
        seed: arguments.seed,
        length: Duration::try_from_secs_f64(minutes * 60.0)?,
        pace: if arguments.sabotage.is_empty() { Pace::release() } else { Pace::debug() },
        folder: arguments.folder.clone(),
        say: Arc::new(|line| eprintln!("chaos: {line}")),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if arguments.sabotage.is_empty() {
        return Ok(conclude(&runtime.block_on(run(&options))?));
    }
    let mut all_caught = true;
    println!(
        "| bug | seed | shown by sound processes | by processes that have it | caught |\n|---|---|---|---|---|"
    );
    for bug in &arguments.sabotage {
        let drill = runtime.block_on(drill(&options, *bug))?;
        let (name, caught) = (bug.name(), if drill.caught() { "yes" } else { "no" });
        println!("| {name} | {} | {} | {} | {caught} |", options.seed, drill.without, drill.with);
        all_caught &= drill.caught();
    }
    Ok(all_caught)
}

/// Prints what was found; whether every promise was kept.
fn conclude(outcome: &Outcome) -> bool {
    println!("{}", outcome.page());
    for violation in &outcome.report.violations {
        println!("{violation}");
    }
    outcome.report.is_clean()
}
