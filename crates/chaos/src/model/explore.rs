//! Runs a model through everything that can happen within its bounds.

use std::{
    fmt::{self, Display},
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use stateright::{Checker, Expectation, HasDiscoveries};

use super::Protocol;

/// What came of a model.
#[derive(Debug)]
pub struct Report {
    /// The different states that were met.
    pub states: usize,
    /// The steps of the longest run that was needed to meet them.
    pub depth: usize,
    /// How long it took.
    pub elapsed: Duration,
    /// A promise that is broken, and how; `None`: all hold.
    pub violation: Option<Violation>,
    /// What should happen in some run and happens in none.
    pub unreached: Vec<&'static str>,
}

/// A run that breaks a promise.
#[derive(Debug)]
pub struct Violation {
    /// The promise.
    pub promise: &'static str,
    /// The steps of the run, a line each.
    pub trace: Vec<String>,
    /// What there is after them.
    pub end: String,
}

impl Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  breaks: {}", self.promise)?;
        for (number, line) in (1..).zip(&self.trace) {
            writeln!(f, "  {number:>4}. {line}")?;
        }
        write!(f, "     => {}", self.end)
    }
}

/// Explores all runs.
pub fn explore<P: Protocol>(model: P, threads: NonZeroUsize) -> Report {
    explore_to(model, threads, None)
}

/// Looks for a run that breaks a promise, as short as any. `None`: there is none.
pub fn refute<P: Protocol>(model: &P) -> Option<Violation> {
    let find = |below_depth| explore_to(model.clone(), NonZeroUsize::MIN, below_depth).violation;
    // The checker goes on for a while after the first one, and tells the last one.
    let shorter = |found: &Violation| find(Some(found.trace.len() + 1));
    std::iter::successors(find(None), shorter).last()
}

#[expect(clippy::disallowed_methods, reason = "measures how long the exploration takes")]
fn explore_to<P: Protocol>(model: P, threads: NonZeroUsize, below_depth: Option<usize>) -> Report {
    let began = Instant::now();
    let mut builder = model.checker().threads(threads.get()).finish_when(HasDiscoveries::AnyFailures);
    if let Some(depth) = below_depth {
        builder = builder.target_max_depth(depth);
    }
    let checker = builder.spawn_bfs().join();
    let elapsed = began.elapsed();
    let mut discoveries = checker.discoveries();
    let (mut violation, mut unreached) = (None, Vec::new());
    for property in checker.model().properties() {
        match (property.expectation, discoveries.remove(property.name)) {
            (Expectation::Sometimes, None) => unreached.push(property.name),
            (Expectation::Sometimes, Some(_)) | (_, None) => {}
            (_, Some(path)) => {
                let end = path.last_state().to_string();
                let trace = path.into_actions().iter().map(ToString::to_string).collect();
                violation = violation.or(Some(Violation { promise: property.name, trace, end }));
            }
        }
    }
    Report { states: checker.unique_state_count(), depth: checker.max_depth(), elapsed, violation, unreached }
}
