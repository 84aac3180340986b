//! What `cargo xtask bench` runs: the subjects that it compares with Tollbar, and tools to prepare and to measure.
#![expect(clippy::print_stdout, reason = "a command line tool that prints what it measures")]

mod board;
mod chart;
mod delay_proxy;
mod embedded;
mod hello;
mod history;
mod median;
mod memory;
mod peer;
mod peer_seed;
mod policy;
mod raw_bcrypt;
mod requests;
mod seed;
mod spend;
mod startup;
mod steps;
mod stopwatch;
mod tiers;
mod users;

use clap::{Parser, Subcommand};

// As the service has it, so that no subject is faster for its allocator alone.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Any reason to stop: `main` prints it.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The parts of Tollbar's benchmark; `cargo xtask bench` runs them.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand)]
enum Part {
    Hello(hello::Hello),
    Steps(steps::Steps),
    Embedded(embedded::Embedded),
    Peer(peer::Peer),
    Seed(seed::Seed),
    SeedPeer(peer_seed::SeedPeer),
    Spend(spend::Spend),
    RawBcrypt(raw_bcrypt::RawBcrypt),
    Top(board::Top),
    Memory(memory::Memory),
    History(history::History),
    Startup(startup::Startup),
    DelayProxy(delay_proxy::DelayProxy),
    Chart(chart::Chart),
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    match Cli::parse().part {
        Part::Hello(part) => part.run().await,
        Part::Steps(part) => part.run().await,
        Part::Embedded(part) => part.run().await,
        Part::Peer(part) => part.run().await,
        Part::Seed(part) => part.run().await,
        Part::SeedPeer(part) => part.run().await,
        Part::Spend(part) => part.run().await,
        Part::RawBcrypt(part) => part.run(),
        Part::Top(part) => part.run().await,
        Part::Memory(part) => part.run().await,
        Part::History(part) => part.run().await,
        Part::Startup(part) => part.run(),
        Part::DelayProxy(part) => part.run(),
        Part::Chart(part) => part.run(),
    }
}
