//! Logins beside bcrypt itself, and pings beside logins.

use std::path::{Path, PathBuf};
use std::thread::{scope, sleep};
use std::time::Duration;

use super::load::{Load, Outcome};
use super::part::{Part, Plan};
use super::process::Process;
use super::report::{Goal, Report};
use super::stage::{BCRYPT_COST, Stage};
use super::stats::{median, ratio};
use super::subject::Subject;
use crate::error::XtaskError;

const PAUSE: Duration = Duration::from_secs(1);
/// Connections and pause of moderate pings.
const MODERATE: (u32, u32) = (4, 5);
/// Connections that log in beside them.
const FLOOD: u32 = 16;

/// Measures both, as far as they are wanted.
pub(crate) fn measure(stage: &Stage<'_>, plan: &Plan, report: &mut Report) -> Result<(), XtaskError> {
    if plan.has(Part::Login) {
        throughput(stage, plan, report)?;
    }
    if plan.has(Part::Beside) {
        beside(stage, plan, report)?;
    }
    Ok(())
}

/// A process for one round: the logins that wait when a load ends are hashed on, and would slow down what comes next.
fn start(stage: &Stage<'_>) -> Result<(Process, PathBuf), XtaskError> {
    stage.start_on(Subject::Admitted, "logins", &stage.redis.url())
}

/// At full load, and at the same cost without anything around it.
fn throughput(stage: &Stage<'_>, plan: &Plan, report: &mut Report) -> Result<(), XtaskError> {
    // Few fit into a second, so that it takes longer to count them well.
    let seconds = plan.seconds * 2;
    let (mut raw, mut served) = (Vec::new(), Vec::new());
    for round in 1..=plan.rounds {
        sleep(PAUSE);
        let arguments = ["--cost", &BCRYPT_COST.to_string(), "--seconds", &seconds.to_string()];
        raw.push(stage.tools.run("raw-bcrypt", arguments)?.get("per_second")?);
        let (process, _) = start(stage)?;
        sleep(PAUSE);
        served.push(
            Load::new(stage.tools, "logins", process.address, &stage.logins(), seconds, 200)
                .run()?
                .per_second,
        );
        let last = [&raw, &served].map(|rates| rates.last().copied().unwrap_or_default());
        eprintln!("round {round}: bcrypt {:.1}/s, logins {:.1}/s", last[0], last[1]);
    }
    let rates = [&raw, &served].map(|rates| median(rates.iter().copied()));
    report.row("bcrypt at cost 12 on all cores", format!("{:.1}/s", rates[0]), None);
    report.row("logins", format!("{:.1}/s", rates[1]), None);
    report.measure("logins / bcrypt on all cores", ratio(&served, &raw), 2, "", Some(Goal::AtLeast(0.95)));
    Ok(())
}

/// The same moderate pings, without logins and beside as many as the service can do.
fn beside(stage: &Stage<'_>, plan: &Plan, report: &mut Report) -> Result<(), XtaskError> {
    let (mut calm, mut flooded) = (Vec::new(), Vec::new());
    for round in 1..=plan.rounds {
        let (process, pings) = start(stage)?;
        let load = |requests: &Path, seconds| {
            Load::new(stage.tools, "pings or logins", process.address, requests, seconds, 200)
        };
        let pings = load(&pings, plan.seconds).with(MODERATE.0, MODERATE.1);
        let flood = load(&stage.logins(), plan.seconds + 2).with(FLOOD, 0);
        sleep(PAUSE);
        pings.look()?;
        calm.push(pings.run()?.p99_micros);
        let outcome: Result<Outcome, XtaskError> = scope(|scope| {
            let logins = scope.spawn(|| flood.run());
            sleep(PAUSE);
            let outcome = pings.run();
            logins.join().map_err(|_| XtaskError::Measured("a load panicked".into()))??;
            outcome
        });
        flooded.push(outcome?.p99_micros);
        let last = [&calm, &flooded].map(|times| times.last().copied().unwrap_or_default());
        eprintln!("round {round}: p99 of pings {:.0} µs, beside logins {:.0} µs", last[0], last[1]);
    }
    let times = [&calm, &flooded].map(|times| median(times.iter().copied()) / 1e3);
    report.row("p99 of moderate pings", format!("{:.2} ms", times[0]), None);
    report.row("p99 of the same beside 16 who log in", format!("{:.2} ms", times[1]), None);
    let name = "p99 of pings beside logins / without";
    report.measure(name, ratio(&flooded, &calm), 2, "", Some(Goal::AtMost(3.0)));
    Ok(())
}
