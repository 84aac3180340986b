//! `cargo xtask bench`: Tollbar beside what it is compared with, on engines that live as long as the run.

mod delayed;
mod facts;
mod load;
mod logins;
mod machine;
mod page;
mod part;
mod process;
mod redis_use;
mod report;
mod single;
mod stage;
mod stats;
mod subject;
mod throughput;
mod tools;

use std::process::ExitCode;

use clap::Args;

use self::machine::Machine;
use self::part::{Part, Plan};
use self::report::Report;
use self::stage::Stage;
use self::tools::Tools;
use crate::error::XtaskError;
use crate::install::{Program, install_missing};
use crate::interrupt;

/// Measure Tollbar beside a bare web server, a trip a step, and well-known parts.
///
/// Builds in release, starts a private Redis and a private PostgreSQL, and prints a table. A run of everything, with
/// at least the default rounds and seconds, also writes crates/bench/README.md and its chart.
#[derive(Args)]
pub(crate) struct Bench {
    /// One short round of everything: to see that it works, not to learn numbers
    #[arg(long)]
    quick: bool,
    /// Only these parts, as a list with commas
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// How many rounds; each figure is the median of its rounds [default: 5]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: Option<u32>,
    /// How long each load lasts [default: 5]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: Option<u32>,
    /// How many users call in turn
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    users: u32,
    /// Take the binaries as they lie there
    #[arg(long)]
    no_build: bool,
}

impl Bench {
    /// Measures. A goal that is not met is no failure; an answer that should not have been given is one.
    pub(crate) fn run(self) -> Result<ExitCode, XtaskError> {
        interrupt::catch()?;
        let plan = Plan::new(self.quick, &self.only, self.rounds, self.seconds, self.users);
        install_missing(&[Program::Redis, Program::Postgres, Program::Wrk])?;
        let tools = if self.no_build { Tools::found()? } else { Tools::build()? };
        let machine = Machine::look()?;
        let mut report = Report::default();
        measure(&plan, &tools, &mut report)?;
        println!("{machine}\n\n{}", report.table());
        if plan.is_whole() {
            page::write(&tools, &plan, &machine, &report)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn measure(plan: &Plan, tools: &Tools, report: &mut Report) -> Result<(), XtaskError> {
    let subjects = plan.subjects();
    let (logins, beside, delay) = (plan.has(Part::Login), plan.has(Part::Beside), plan.has(Part::Delay));
    if !subjects.is_empty() || logins || beside || delay {
        let stage = Stage::set(plan, tools)?;
        if !subjects.is_empty() {
            throughput::measure(&stage, plan, &subjects)?.report(report);
        }
        if delay {
            delayed::measure(&stage, plan, report)?;
        }
        if logins || beside {
            logins::measure(&stage, plan, report)?;
        }
    }
    if plan.has(Part::Top) {
        single::top(plan, tools, report)?;
    }
    if plan.has(Part::Memory) {
        single::memory(plan, tools, report)?;
    }
    if plan.has(Part::History) {
        single::history(plan, tools, report)?;
    }
    if plan.has(Part::Startup) {
        single::startup(tools, report)?;
    }
    Ok(())
}
