//! Tollbar's own commands, run as `cargo xtask …`.
#![expect(clippy::print_stderr, clippy::print_stdout, reason = "a command line tool talks to its terminal")]

mod bench;
mod chaos;
mod engines;
mod error;
mod install;
mod interrupt;
mod model;
mod python;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tollbar's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Bench(bench::Bench),
    Chaos(chaos::Chaos),
    Model(model::Model),
    Test(test::Test),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Bench(bench) => bench.run(),
        Command::Chaos(chaos) => chaos.run(),
        Command::Model(model::Model) => model::Model::run(),
        Command::Test(test) => test.run(),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("cargo xtask: {}", tollbar_testkit::one_line(&error));
        ExitCode::FAILURE
    })
}
