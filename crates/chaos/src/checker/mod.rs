//! Judges a history: a pure function, which knows nothing of how the history came about.

mod answers;
mod boards;
mod counts;
mod histogram;
mod latency;
mod limits;
mod recovery;
mod report;
mod sessions;
mod table;
mod timeline;
mod violation;

pub use report::Report;
pub use violation::{Promise, Sort, Violation};

use crate::history::History;
use timeline::Timeline;

/// What a history says of every promise.
pub fn check(history: &History) -> Report {
    let timeline = Timeline::new(history);
    let mut report = Report::default();
    report.count(history);
    sessions::check(history, &timeline, &mut report);
    counts::check(history, &mut report);
    boards::check(history, &mut report);
    limits::check(history, &mut report);
    answers::check(history, &timeline, &mut report);
    latency::check(history, &timeline, &mut report);
    recovery::check(history, &timeline, &mut report);
    report
}

/// Whether what was counted at the end is what was called: readings need not be repeated.
pub fn is_counted(history: &History) -> bool {
    counts::fit(history)
}

#[cfg(test)]
mod fixture;
