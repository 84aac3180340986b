//! The report as a page: tables in Markdown.

use std::fmt::Write as _;

use super::{Report, recovery::typical, timeline::Since};
use crate::history::{Api, FaultKind, Micros, Op, Terms};

/// The columns of times: what is like each other is told by one of them.
const COLUMNS: [(&str, Op); 7] = [
    ("signup", Op::Signup),
    ("login", Op::Login),
    ("logout", Op::Logout),
    ("call, closed", Op::Call(Api::Closed)),
    ("call, open", Op::Call(Api::Open)),
    ("top", Op::Top),
    ("readyz", Op::Ready),
];

impl Report {
    /// The figures in Markdown.
    pub fn page(&self, terms: &Terms) -> String {
        let mut page = String::new();
        self.figures(&mut page);
        self.recovery_table(&mut page);
        self.time_table(terms, &mut page);
        page
    }

    fn figures(&self, page: &mut String) {
        let worst = self.settled.iter().max().copied().unwrap_or(0);
        let rows = [
            ("requests", self.requests.to_string()),
            ("faults", self.faults.values().sum::<u64>().to_string()),
            ("kills (kill -9 of Redis or Tollbar, immediate stops of PostgreSQL)", self.kills.to_string()),
            ("**lost** accounts (P1)", self.lost_signups.to_string()),
            ("**lost** logins and logouts (P1)", self.lost_sessions.to_string()),
            ("refusals of sessions, all found right (P1)", self.refused_sessions.to_string()),
            (
                "**resurrected**: calls with an ended session that were admitted (P2)",
                self.resurrected.to_string(),
            ),
            (
                "the same within `cache_ttl` of a change that Redis was not told of",
                self.within_bound.to_string(),
            ),
            ("totals and leaderboards looked at", format!("{} and {}", self.totals, self.boards)),
            ("**miscounted** (P3)", self.miscounted.to_string()),
            ("windows looked at", self.windows.to_string()),
            ("**over-admitted** calls (P4)", self.over_admitted.to_string()),
            ("refused with 503 and Retry-After", self.refused.to_string()),
            (
                "the same where they should not be, while the machine or an engine stood still of itself",
                self.stood_still.to_string(),
            ),
            (
                "**wrong answers**: refused what can be served, 5xx, lost, hung (P5)",
                self.wrong_answers.to_string(),
            ),
            ("counts complete after the last call, at the latest", millis(worst)),
        ];
        page.push_str("| | |\n|---|---|\n");
        for (name, value) in rows {
            let _ = writeln!(page, "| {name} | {value} |");
        }
    }

    fn recovery_table(&self, page: &mut String) {
        page.push_str(
            "\n| fault | times | full service after it (median) | (longest) |\n|---|---|---|---|\n",
        );
        for (kind, times) in &self.faults {
            let (median, longest) = typical(&self.recoveries, *kind).unwrap_or_default();
            let _ = writeln!(page, "| {kind} | {times} | {} | {} |", millis(median), millis(longest));
        }
    }

    fn time_table(&self, terms: &Terms, page: &mut String) {
        page.push_str("\n| p99 under (first second / later) ");
        for (name, _) in COLUMNS {
            let _ = write!(page, "| {name} ");
        }
        page.push_str("|\n|---|---|---|---|---|---|---|---|\n| calm ");
        for (_, op) in COLUMNS {
            let calm = self.times.get(&(None, op)).and_then(|times| times.percentile(99));
            let _ = write!(page, "| {} ", calm.map_or_else(|| "–".to_owned(), millis));
        }
        page.push_str("|\n");
        for kind in self.faults.keys().filter(|kind| !kind.is_of_process()) {
            let _ = write!(page, "| {kind} ");
            for (_, op) in COLUMNS {
                let _ = write!(page, "| {} ", self.cell(terms, op, *kind));
            }
            page.push_str("|\n");
        }
    }

    /// Both times; one that is longer than a deadline explains is marked.
    fn cell(&self, terms: &Terms, op: Op, kind: FaultKind) -> String {
        let bound = self.bound(terms, op, kind).unwrap_or(Micros::MAX);
        let time = |since| {
            let p99 = self.times.get(&(Some((kind, since)), op)).and_then(|times| times.percentile(99));
            let mark = if p99.is_some_and(|p99| p99 > bound) { " (!)" } else { "" };
            p99.map_or_else(|| "–".to_owned(), |p99| format!("{}{mark}", millis(p99)))
        };
        format!("{} / {}", time(Since::FirstSecond), time(Since::Later))
    }
}

fn millis(time: Micros) -> String {
    match time {
        0..10_000 => format!("{}.{} ms", time / 1000, time % 1000 / 100),
        _ => format!("{} ms", time / 1000),
    }
}
