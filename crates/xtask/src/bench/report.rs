//! What a run has found: figures beside their goals.

use std::fmt::Write as _;

use super::subject::Subject;

/// What a figure should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

/// A throughput to draw.
pub(crate) struct Bar {
    pub(crate) subject: Subject,
    pub(crate) rate: f64,
    /// Of the bare web server's.
    pub(crate) share: Option<f64>,
}

struct Row {
    figure: String,
    value: String,
    goal: String,
    met: &'static str,
}

/// All figures of a run.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    /// Throughputs to draw.
    pub(crate) bars: Vec<Bar>,
}

impl Report {
    /// Adds a throughput to draw.
    pub(crate) fn bar(&mut self, subject: Subject, rate: f64, share: Option<f64>) {
        self.bars.push(Bar { subject, rate, share });
    }

    /// Adds a figure as it is to be read.
    pub(crate) fn row(&mut self, figure: &str, value: String, goal: Option<(String, bool)>) {
        let (goal, met) =
            goal.map_or((String::new(), ""), |(goal, met)| (goal, if met { "yes" } else { "no" }));
        self.rows.push(Row { figure: figure.to_owned(), value, goal, met });
    }

    /// Adds a number with so many digits behind the point, its unit, and perhaps its goal.
    pub(crate) fn measure(
        &mut self,
        figure: &str,
        value: f64,
        digits: usize,
        unit: &str,
        goal: Option<Goal>,
    ) {
        let goal = goal.map(|goal| {
            let (sign, bound) = match goal {
                Goal::AtLeast(bound) => ("≥", bound),
                Goal::AtMost(bound) => ("≤", bound),
            };
            (format!("{sign} {bound}{unit}"), goal.is_met(value))
        });
        self.row(figure, format!("{value:.digits$}{unit}"), goal);
    }

    /// As a table in Markdown, which a terminal shows well too.
    pub(crate) fn table(&self) -> String {
        let head = Row { figure: "figure".into(), value: "this run".into(), goal: "goal".into(), met: "met" };
        let rows: Vec<_> = std::iter::once(&head).chain(&self.rows).collect();
        let width = |text: fn(&Row) -> &str| {
            rows.iter().map(|row| text(row).chars().count()).max().unwrap_or_default().max(3)
        };
        let (figure, value, goal) =
            (width(|row| &row.figure), width(|row| &row.value), width(|row| &row.goal));
        let mut table = String::new();
        let mut line = |a: &str, b: &str, c: &str, d: &str| {
            let written = writeln!(table, "| {a:figure$} | {b:value$} | {c:goal$} | {d:3} |");
            written.expect("a String takes every write");
        };
        line(&head.figure, &head.value, &head.goal, head.met);
        line(&"-".repeat(figure), &"-".repeat(value), &"-".repeat(goal), "---");
        for row in &self.rows {
            line(&row.figure, &row.value, &row.goal, row.met);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_what_is_met() {
        let mut report = Report::default();
        report.measure("a", 0.612, 2, "", Some(Goal::AtLeast(0.6)));
        report.measure("longer", 7.04, 1, " µs", Some(Goal::AtMost(7.0)));
        report.row("b", "x".into(), None);
        assert_eq!(
            report.table(),
            "| figure | this run | goal   | met |\n\
             | ------ | -------- | ------ | --- |\n\
             | a      | 0.61     | ≥ 0.6  | yes |\n\
             | longer | 7.0 µs   | ≤ 7 µs | no  |\n\
             | b      | x        |        |     |\n"
        );
    }
}
