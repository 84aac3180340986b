//! All stages of a run, one after the other.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use super::error::ChaosError;
use super::options::Options;
use super::plan::{StagePlan, plan};
use super::settings::terms;
use super::stage;
use crate::checker::{Report, check};
use crate::history::{History, Terms, dump};

/// What a run found.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Of all stages together.
    pub report: Report,
    terms: Terms,
}

impl Outcome {
    /// The figures in Markdown.
    pub fn page(&self) -> String {
        self.report.page(&self.terms)
    }
}

/// Runs all stages, and judges each at its end.
///
/// # Errors
/// The run could not be carried out; nothing is said of any promise then.
pub async fn run(options: &Options) -> Result<Outcome, ChaosError> {
    let mut report = Report::default();
    let mut all_terms = Terms::default();
    for stage in plan(options.seed, options.length) {
        let folder = options.folder.join(format!("stage-{}", stage.number));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(ChaosError::file(&folder))?;
        (options.say)(&format!(
            "stage {}: {} processes, appendonly {}, {} faults",
            stage.number,
            stage.processes,
            stage.append_only.name(),
            stage.faults.len()
        ));
        let history = stage::run(options, &stage, &folder).await?;
        let found = check(&history);
        conclude(options, &stage, &folder, &history, &found)?;
        report.merge(found);
        all_terms = terms(&stage, &options.pace);
    }
    Ok(Outcome { report, terms: all_terms })
}

/// Says what was found; keeps logs and history only where something was.
fn conclude(
    options: &Options,
    stage: &StagePlan,
    folder: &Path,
    history: &History,
    found: &Report,
) -> Result<(), ChaosError> {
    let verdict = if found.is_clean() { "every promise kept" } else { "not every promise kept" };
    (options.say)(&format!("stage {}: {} requests, {verdict}", stage.number, found.requests));
    for (sort, times) in &found.broken {
        (options.say)(&format!("stage {}: {times} times {sort}", stage.number));
    }
    if found.is_clean() {
        let _ = fs::remove_dir_all(folder);
        return Ok(());
    }
    keep(history, found, folder)
}

/// Writes the history, and what is wrong with it, for people to read.
pub(super) fn keep(history: &History, found: &Report, folder: &Path) -> Result<(), ChaosError> {
    let path = folder.join("history.tsv");
    let write = || {
        let mut file = BufWriter::new(File::create(&path)?);
        dump(history, &mut file)?;
        file.flush()?;
        let lines = found.violations.iter().map(|violation| format!("{violation}\n"));
        fs::write(folder.join("violations.txt"), lines.collect::<String>())
    };
    write().map_err(ChaosError::file(&path))
}
