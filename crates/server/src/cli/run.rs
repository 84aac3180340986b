//! What each command does.

use std::io::{self, Write as _};

use super::{Arguments, Command, CommandError, Said};
use crate::{
    application::Application,
    durable::Durable,
    metrics,
    settings::{LogFormat, Origin, Settings, SettingsError, Variables},
    signals,
    start_error::{RunError, StartError},
    telemetry,
    traces::Traces,
};

/// Does what the command line asks for.
///
/// # Errors
/// See [`CommandError`].
pub async fn run(arguments: Arguments) -> Result<(), CommandError> {
    // Before anything else: a signal during a start is no reason to end.
    signals::survive_hangups();
    // Before the policies are read, which count what they decide.
    metrics::start()?;
    let Arguments { config, json, admin, command } = arguments;
    let origin = Origin::new(config, Variables::of_process());
    if let Some(Command::Completions(completions)) = &command {
        return write(completions.run(), json);
    }
    let settings = origin.load();
    let mistake = |error: SettingsError| match &command {
        Some(Command::Check) => CommandError::Mistake(error),
        _ => error.into(),
    };
    let settings = settings.map_err(mistake)?;
    let admin = admin.as_ref();
    let said = match &command {
        None | Some(Command::Serve | Command::Completions(_)) => return serve(settings, origin, json).await,
        Some(Command::Check) => {
            Durable::check(&settings.database).map_err(CommandError::Unusable)?;
            origin.praise(&settings)
        }
        Some(Command::Explain(request)) => request.explain(&settings, admin).await?,
        Some(Command::Migrate(migrate)) => {
            let (said, no) = migrate.run(&settings, json).await?;
            write(said, json)?;
            return no.map_or(Ok(()), Err);
        }
        Some(Command::Top(top)) => top.run(&settings, admin).await.map_err(advise)?,
        Some(Command::User(user)) => user.run(&settings, admin).await.map_err(advise)?,
        Some(Command::Limits(limits)) => limits.run(&settings, admin).await.map_err(advise)?,
    };
    write(said, json)
}

async fn serve(mut settings: Settings, origin: Origin, as_json: bool) -> Result<(), CommandError> {
    if as_json {
        settings.log.format = LogFormat::Json;
    }
    let traces = settings.traces.as_ref().map(Traces::start).transpose()?;
    telemetry::start(settings.log, traces.as_ref());
    let stop = signals::stop_on_signal().map_err(RunError::Signals)?;
    // A start may wait for another process' claim.
    if let Some(application) = stop.run_until_cancelled(Application::build(settings, origin)).await {
        application?.with_traces(traces).run(stop).await?;
    }
    Ok(())
}

/// Says what to do about a schema that is not up to date.
fn advise(error: CommandError) -> CommandError {
    match error {
        CommandError::Start(
            start @ (StartError::Sqlite(
                tollbar_sqlite::OpenError::Absent { .. } | tollbar_sqlite::OpenError::Behind { .. },
            )
            | StartError::Postgres(tollbar_postgres::OpenError::Behind { .. })),
        ) => CommandError::Unmigrated(start),
        other => other,
    }
}

fn write(said: Said, as_json: bool) -> Result<(), CommandError> {
    let mut out = io::stdout().lock();
    match out.write_all(said.written(as_json).as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(CommandError::Output),
    }
}
