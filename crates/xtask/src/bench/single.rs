//! Figures that take no load: the leaderboard, memory, start-up and size.

use std::path::Path;

use tollbar_testkit::TestDatabase;

use super::facts::Facts;
use super::part::Plan;
use super::process::free_address;
use super::report::{Goal, Report};
use super::stage::{configuration, policy, start_postgres, start_redis, temporary_folder, write};
use super::tools::Tools;
use crate::error::XtaskError;

const FEW: u32 = 1_000;
const STARTS: &str = "10";
const DEFAULT_WINDOWS: &str = r#"[{ quota = 1, period = "5s" }, { quota = 2, period = "1m" }]"#;

/// The leaderboard at few users and at many.
pub(crate) fn top(plan: &Plan, tools: &Tools, report: &mut Report) -> Result<(), XtaskError> {
    eprintln!("filling a leaderboard");
    let (redis, few, many) = (start_redis()?, FEW.to_string(), plan.board_users.to_string());
    let (url, asks) = (redis.url(), plan.board_asks.to_string());
    let facts = tools.run("top", ["--redis", &url, "--few", &few, "--many", &many, "--asks", &asks])?;
    let (short, long) = (facts.get("few_micros")?, facts.get("many_micros")?);
    report.row(&format!("/top at {few} users"), format!("{short:.0} µs"), None);
    report.row(&format!("/top at {many} users"), format!("{long:.0} µs"), None);
    report.measure("/top at many users / at few", long / short, 2, "", Some(Goal::AtMost(1.2)));
    Ok(())
}

/// Redis' memory a user.
pub(crate) fn memory(plan: &Plan, tools: &Tools, report: &mut Report) -> Result<(), XtaskError> {
    eprintln!("making {} users to weigh", plan.stored_users);
    let (redis, postgres) = (start_redis()?, start_postgres()?);
    let database = TestDatabase::on(&postgres.url());
    let (database_url, redis_url) = (database.url(), redis.url());
    let users = plan.stored_users.to_string();
    let facts =
        tools.run("memory", ["--database", &database_url, "--redis", &redis_url, "--users", &users])?;
    let name = format!("memory of Redis an active user, of {users}");
    report.measure(&name, facts.get("bytes_per_user")?, 0, " bytes", Some(Goal::AtMost(300.0)));
    report.measure(
        "the same, of a call until it is flushed",
        facts.get("bytes_per_noted_call")?,
        0,
        " bytes",
        None,
    );
    Ok(())
}

/// What became of calls, at as many callers as the longer leaderboard has.
pub(crate) fn history(plan: &Plan, tools: &Tools, report: &mut Report) -> Result<(), XtaskError> {
    eprintln!("adding the calls of many users to a ledger");
    let folder = temporary_folder()?;
    let (place, callers) = (folder.path().display().to_string(), plan.board_users.to_string());
    let facts = tools.run("history", ["--folder", &place, "--callers", &callers])?;
    let (bare, whole) = (facts.get("bare_add_ms")?, facts.get("whole_add_ms")?);
    report.row(
        "10,000 callers into the ledger, without what became of their calls",
        format!("{bare:.1} ms"),
        None,
    );
    report.measure("with / without what became of them", whole / bare, 2, "", None);
    let day = facts.get("day_bytes")? / 1e3;
    report.row(&format!("the summary of a day of {callers} callers"), format!("{day:.1} kB"), None);
    report.measure(
        &format!("the best 100 of {callers}, from the ledger"),
        facts.get("best_ms")?,
        1,
        " ms",
        None,
    );
    report.measure(
        "who called within 24 hours, of as many summaries",
        facts.get("union_ms")?,
        1,
        " ms",
        None,
    );
    report.measure("the database a caller", facts.get("bytes_per_caller")?, 0, " bytes", None);
    Ok(())
}

/// Start-up and size, as it comes and on Redis and PostgreSQL.
pub(crate) fn startup(tools: &Tools, report: &mut Report) -> Result<(), XtaskError> {
    eprintln!("starting again and again");
    let folder = temporary_folder()?;
    let alone = starts(tools, folder.path(), None)?;
    report_start(report, "SQLite + memory", &alone)?;

    let (redis, postgres) = (start_redis()?, start_postgres()?);
    let database = TestDatabase::on(&postgres.url());
    let config = folder.path().join("tollbar.toml");
    // Where it listens is said by the environment, which wins.
    let address = free_address()?;
    let text = configuration(&database.url(), &redis.url(), address);
    write(&config, &(text + &policy("ping", "/ping", DEFAULT_WINDOWS)))?;
    let shared = starts(tools, folder.path(), Some(&config))?;
    report_start(report, "Redis + PostgreSQL", &shared)?;
    report.row("size of the binary", format!("{:.1} MB", shared.get("binary")? / 1e6), None);
    Ok(())
}

fn starts(tools: &Tools, folder: &Path, config: Option<&Path>) -> Result<Facts, XtaskError> {
    let (address, folder) = (free_address()?.to_string(), folder.display().to_string());
    let binary = tools.tollbar.display().to_string();
    let mut arguments = vec!["--binary".to_owned(), binary, "--address".into(), address];
    arguments.extend(["--folder".into(), folder, "--times".into(), STARTS.into()]);
    arguments.extend(config.map(|config| format!("--config={}", config.display())));
    tools.run("startup", arguments)
}

fn report_start(report: &mut Report, tiers: &str, facts: &Facts) -> Result<(), XtaskError> {
    let (start, resident) = (facts.get("start_micros")? / 1e3, facts.get("resident")? / 1e6);
    report.measure(&format!("start-up on {tiers}"), start, 0, " ms", Some(Goal::AtMost(100.0)));
    report.measure(
        &format!("resident memory, idle, on {tiers}"),
        resident,
        1,
        " MB",
        Some(Goal::AtMost(30.0)),
    );
    Ok(())
}
