//! The page of a whole run: a table in the bench crate's README, and the chart beside it.

use std::fs;

use super::machine::{Machine, locked};
use super::part::Plan;
use super::report::Report;
use super::stage::write as write_file;
use super::subject::Subject;
use super::tools::Tools;
use crate::error::XtaskError;

const BEGIN: &str = "<!-- figures: written by cargo xtask bench -->";
const END: &str = "<!-- end of figures -->";
const PACKAGES: [&str; 8] =
    ["actix-limitation", "actix-session", "actix-web", "bcrypt", "diesel", "fred", "redis", "tokio"];
/// From top to bottom.
const CHART: [Subject; 8] = [
    Subject::Hello,
    Subject::Embedded,
    Subject::Denied,
    Subject::Authz,
    Subject::Admitted,
    Subject::Steps,
    Subject::PeerKept,
    Subject::Peer,
];

/// Writes both.
pub(crate) fn write(
    tools: &Tools,
    plan: &Plan,
    machine: &Machine,
    report: &Report,
) -> Result<(), XtaskError> {
    let page = tools.file("README.md");
    let text = read(&page)?;
    let versions = locked(&read(&tools.root.join("Cargo.lock"))?, &PACKAGES).join(", ");
    let figures = format!(
        "{}\n{machine}\n- crates: {versions}\n- rounds: {} of {} s, {} users\n",
        report.table(),
        plan.rounds,
        plan.seconds,
        plan.users
    );
    let replaced = between(&text, &figures).ok_or_else(|| {
        XtaskError::Measured(format!("{} has no place for figures ({BEGIN} … {END})", page.display()))
    })?;
    write_file(&page, &replaced)?;
    draw(tools, report)
}

fn draw(tools: &Tools, report: &Report) -> Result<(), XtaskError> {
    let mut arguments = vec!["--out".to_owned(), tools.file("throughput.svg").display().to_string()];
    arguments.extend(["--title".into(), "Calls a second, as a share of a bare actix-web".into()]);
    for subject in CHART {
        if let Some(bar) = report.bars.iter().find(|bar| bar.subject == subject) {
            let whose = if subject.is_ours() { "ours" } else { "other" };
            let (label, share) = (subject.label().replace('`', ""), bar.share.unwrap_or(0.0));
            arguments.push(format!("{label}={}={share}={whose}", bar.rate));
        }
    }
    tools.run("chart", arguments).map(drop)
}

fn read(file: &std::path::Path) -> Result<String, XtaskError> {
    fs::read_to_string(file).map_err(|error| XtaskError::File(file.to_owned(), error))
}

/// The text with something else between the marks.
fn between(text: &str, figures: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{figures}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_by_hand_stays() {
        let page = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        assert_eq!(between(&page, "new\n").unwrap(), format!("a\n{BEGIN}\n\nnew\n\n{END}\nb\n"));
        assert_eq!(between("a", "new"), None);
    }
}
