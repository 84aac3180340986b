//! The binary: settings, telemetry, then the application until a signal ends it.

use std::{io::Write, process::ExitCode, time::Duration};

use tokio::runtime::Runtime;
use tollbar::{
    Application, RunError, Traces,
    cli::{Arguments, Command},
    metrics,
    settings::{Origin, Variables},
    signals, telemetry,
};

// A call takes some dozens of small allocations, and frees them on its own thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long what blocks a thread, such as a disk that does not answer, may keep a process that has ended otherwise.
const PATIENCE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let ended = Runtime::new().map_err(Into::into).and_then(|runtime| {
        let ended = runtime.block_on(run(Arguments::of_process()));
        runtime.shutdown_timeout(PATIENCE);
        ended
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing more can be done where even stderr is gone.
            let _ = writeln!(std::io::stderr(), "tollbar: {}", telemetry::one_line(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    // Before anything else: a signal during a start is no reason to end.
    signals::survive_hangups();
    // Before the policies are read, which count what they decide.
    metrics::start()?;
    let origin = Origin::new(arguments.config, Variables::of_process());
    let settings = origin.load()?;
    if let Some(command) = arguments.command {
        let said = match command {
            Command::Check => origin.praise(&settings),
            Command::Explain(request) => request.explain(&settings).await?,
        };
        return Ok(std::io::stdout().write_all(said.as_bytes())?);
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
