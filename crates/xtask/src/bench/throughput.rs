//! Calls a second of each subject, one subject after the other, round by round.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use super::load::Load;
use super::part::Plan;
use super::redis_use::RedisUse;
use super::report::{Goal, Report};
use super::stage::Stage;
use super::stats::{median, ratio};
use super::subject::Subject;
use crate::error::XtaskError;

/// In which the last counts of a subject are written, and nothing of it runs into the next one.
const PAUSE: Duration = Duration::from_millis(1_500);

/// One subject in all rounds.
#[derive(Default)]
struct Rounds {
    rates: Vec<f64>,
    p99_micros: Vec<f64>,
    trips: Vec<f64>,
    cpu_micros: Vec<f64>,
}

/// What was measured of each subject.
pub(crate) struct Throughput(BTreeMap<Subject, Rounds>);

/// Measures these subjects.
pub(crate) fn measure(
    stage: &Stage<'_>,
    plan: &Plan,
    subjects: &[Subject],
) -> Result<Throughput, XtaskError> {
    let mut running = Vec::new();
    for &subject in subjects {
        eprintln!("starting {}", subject.name());
        let (process, pings) = stage.start(subject)?;
        let load =
            Load::new(stage.tools, subject.name(), process.address, &pings, plan.seconds, subject.status());
        // The process is kept: all stay up, and only one is loaded at a time.
        running.push((subject, load, process));
    }
    let mut found = BTreeMap::<_, Rounds>::new();
    for round in 1..=plan.rounds {
        for (subject, load, _) in &running {
            sleep(PAUSE);
            load.look()?;
            let before = RedisUse::of(&stage.redis)?;
            let outcome = load.run()?;
            let used = RedisUse::of(&stage.redis)?.since(before);
            load.look()?;
            let rounds = found.entry(*subject).or_default();
            rounds.rates.push(outcome.per_second);
            rounds.p99_micros.push(outcome.p99_micros);
            rounds.trips.push(used.trips / outcome.requests);
            rounds.cpu_micros.push(used.cpu_micros / outcome.requests);
            eprintln!(
                "round {round}: {:<9} {:>8.0}/s  p99 {:>5.1} ms  Redis: {:.2} scripts, {:.1} µs a call",
                subject.name(),
                outcome.per_second,
                outcome.p99_micros / 1e3,
                used.trips / outcome.requests,
                used.cpu_micros / outcome.requests,
            );
        }
    }
    Ok(Throughput(found))
}

impl Throughput {
    /// Adds rows for what was measured.
    pub(crate) fn report(&self, report: &mut Report) {
        for (subject, rounds) in &self.0 {
            let share = self.0.get(&Subject::Hello).map(|hello| ratio(&rounds.rates, &hello.rates));
            report.bar(*subject, median(rounds.rates.iter().copied()), share);
        }
        for subject in Subject::ALL {
            let Some(rounds) = self.0.get(&subject) else { continue };
            let rate = median(rounds.rates.iter().copied());
            let p99 = median(rounds.p99_micros.iter().copied()) / 1e3;
            report.row(subject.label(), format!("{rate:.0}/s, p99 {p99:.1} ms"), None);
        }
        self.compare(report, Subject::Admitted, Subject::Hello, Some(Goal::AtLeast(0.60)));
        self.compare(report, Subject::Authz, Subject::Hello, Some(Goal::AtLeast(0.55)));
        self.compare(report, Subject::Authz, Subject::Admitted, None);
        self.compare(report, Subject::Listed, Subject::Admitted, Some(Goal::AtLeast(0.98)));
        self.compare(report, Subject::Denied, Subject::Hello, Some(Goal::AtLeast(0.85)));
        self.compare(report, Subject::Embedded, Subject::Hello, Some(Goal::AtLeast(0.85)));
        self.compare(report, Subject::Admitted, Subject::Steps, None);
        self.compare(report, Subject::Admitted, Subject::Peer, Some(Goal::AtLeast(5.0)));
        self.compare(report, Subject::Admitted, Subject::PeerKept, None);
        for subject in [Subject::Admitted, Subject::Authz, Subject::Steps] {
            let Some(rounds) = self.0.get(&subject) else { continue };
            let is_goal = subject == Subject::Admitted;
            let (trips, cpu) =
                (median(rounds.trips.iter().copied()), median(rounds.cpu_micros.iter().copied()));
            let name = subject.label();
            let goal = match subject {
                Subject::Admitted => Some(Goal::AtMost(0.25)),
                Subject::Authz => Some(Goal::AtMost(1.0)),
                _ => None,
            };
            report.measure(&format!("{name}: trips to Redis a call"), trips, 3, "", goal);
            let goal = is_goal.then_some(Goal::AtMost(7.0));
            report.measure(&format!("{name}: processor time of Redis a call"), cpu, 1, " µs", goal);
        }
    }

    fn compare(&self, report: &mut Report, above: Subject, below: Subject, goal: Option<Goal>) {
        if let (Some(one), Some(other)) = (self.0.get(&above), self.0.get(&below)) {
            let name = format!("{} / {}", above.label(), below.label());
            report.measure(&name, ratio(&one.rates, &other.rates), 2, "", goal);
        }
    }
}
