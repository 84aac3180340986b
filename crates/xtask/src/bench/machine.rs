//! Where and with what a run was made.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::{available_parallelism, sleep};
use std::time::Duration;

use tollbar_testkit::{find_postgres, find_redis};

use crate::error::XtaskError;

/// Machine, date and versions, as lines to read.
pub(crate) struct Machine(Vec<(&'static str, String)>);

impl Machine {
    /// Looks around.
    pub(crate) fn look() -> Result<Self, XtaskError> {
        let cores = available_parallelism().map_or(1, usize::from);
        let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".into());
        let kilobytes = field("/proc/meminfo", "MemTotal").unwrap_or_default();
        let kilobytes: u64 = kilobytes.trim_end_matches(" kB").parse().unwrap_or_default();
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let postgres = find_postgres()?.join("postgres");
        Ok(Self(vec![
            ("date", said("date", &["-u", "+%F"])),
            ("machine", format!("{processor}, {cores} cores, {} GB", kilobytes / 1_000_000)),
            ("busy with other things before the run", format!("{:.0} %", busy_share() * 100.0)),
            ("kernel", format!("Linux {}", kernel.trim())),
            ("rustc", said("rustc", &["--version"])),
            ("redis", said(find_redis()?, &["--version"])),
            ("postgres", said(postgres, &["--version"])),
            ("wrk", said("wrk", &["--version"])),
        ]))
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(|(name, value)| format!("- {name}: {value}")).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// The versions of these packages in a lock file.
pub(crate) fn locked(lock: &str, packages: &[&str]) -> Vec<String> {
    let lines: Vec<_> = lock.lines().collect();
    let version = |pair: &[&str]| {
        let name = pair[0].strip_prefix("name = \"")?.strip_suffix('"')?;
        let version = pair[1].strip_prefix("version = \"")?.strip_suffix('"')?;
        packages.contains(&name).then(|| format!("{name} {version}"))
    };
    lines.windows(2).filter_map(version).collect()
}

/// The first line that a program prints, wherever it prints it.
fn said(program: impl AsRef<Path>, arguments: &[&str]) -> String {
    let output = Command::new(program.as_ref()).args(arguments).output();
    let text = output.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().next().unwrap_or("unknown");
    // What follows the version is of no use to a reader.
    let end = [" sha=", " [epoll]"].iter().filter_map(|mark| line.find(mark)).min();
    line[..end.unwrap_or(line.len())].to_owned()
}

/// What share of the processors is taken by others, looked at for a second.
#[expect(clippy::cast_precision_loss, reason = "far fewer ticks than 2^52")]
fn busy_share() -> f64 {
    let before = ticks();
    sleep(Duration::from_secs(1));
    let (all, idle) = ticks();
    1.0 - (idle - before.1) as f64 / (all - before.0).max(1) as f64
}

/// All ticks of the processors, and those in which they had nothing to do.
fn ticks() -> (u64, u64) {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    // user, nice, system, idle, waiting for disks, …
    (ticks.iter().sum(), ticks.iter().skip(3).take(2).sum())
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim_start_matches(|sign: char| sign == ':' || sign.is_whitespace()).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_a_lock() {
        let lock = "[[package]]\nname = \"fred\"\nversion = \"10.1.0\"\n\n[[package]]\nname = \"x\"\nversion = \"1\"\n";
        assert_eq!(locked(lock, &["fred", "y"]), ["fred 10.1.0"]);
    }
}
