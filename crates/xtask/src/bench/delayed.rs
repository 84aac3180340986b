//! Throughput where Redis is a millisecond away: what a trip costs.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use tollbar_testkit::{address_of, through};

use super::load::Load;
use super::part::Plan;
use super::process::{Process, free_address};
use super::report::Report;
use super::stage::Stage;
use super::stats::{median, ratio};
use super::subject::Subject;
use crate::error::XtaskError;

/// Each way.
const MICROS: &str = "1000";
const PAUSE: Duration = Duration::from_millis(1_500);

/// Measures the gate beside a trip a step.
pub(crate) fn measure(stage: &Stage<'_>, plan: &Plan, report: &mut Report) -> Result<(), XtaskError> {
    let (direct, address) = (stage.redis.url(), free_address()?);
    let mut command = Command::new(&stage.tools.bench);
    command.arg("delay-proxy").arg("--address").arg(address.to_string());
    command.arg("--target").arg(address_of(&direct).to_string()).args(["--micros", MICROS]);
    let _proxy = Process::start("delay-proxy", &mut command, address, stage.folder())?.listening()?;
    let far = through(&direct, address);
    let (gate, pings) = stage.start_on(Subject::Admitted, "admitted-far", &far)?;
    let (steps, _) = stage.start_on(Subject::Steps, "steps-far", &far)?;
    let load = |name, address| Load::new(stage.tools, name, address, &pings, plan.seconds, 200);
    let mut rates = [Vec::new(), Vec::new()];
    for round in 1..=plan.rounds {
        for ((name, process), rates) in [("gate", &gate), ("steps", &steps)].into_iter().zip(&mut rates) {
            sleep(PAUSE);
            let load = load(name, process.address);
            load.look()?;
            rates.push(load.run()?.per_second);
        }
        let last = rates.each_ref().map(|rates| rates.last().copied().unwrap_or_default());
        eprintln!("round {round}: Redis 1 ms away: {:.0}/s, a trip a step {:.0}/s", last[0], last[1]);
    }
    let [gate, steps] = rates;
    let (one, other) = (median(gate.iter().copied()), median(steps.iter().copied()));
    report.row("Redis 1 ms away each way: Tollbar, all admitted", format!("{one:.0}/s"), None);
    report.row("Redis 1 ms away each way: a trip to Redis a step", format!("{other:.0}/s"), None);
    report.measure("Redis 1 ms away each way: Tollbar / a trip a step", ratio(&gate, &steps), 2, "", None);
    Ok(())
}
