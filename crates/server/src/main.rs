//! The binary: settings, telemetry, then the application until a signal ends it.

use std::{io::Write, process::ExitCode};

use tollbar::{
    Application, RunError,
    cli::{Arguments, Command},
    settings::{Origin, Variables},
    signals, telemetry,
};

// A call takes some dozens of small allocations, and frees them on its own thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::of_process()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing more can be done where even stderr is gone.
            let _ = writeln!(std::io::stderr(), "tollbar: {}", telemetry::one_line(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let origin = Origin::new(arguments.config, Variables::of_process());
    let settings = origin.load()?;
    if let Some(command) = arguments.command {
        let said = match command {
            Command::Check => origin.praise(&settings),
            Command::Explain(request) => request.explain(&settings).await?,
        };
        return Ok(std::io::stdout().write_all(said.as_bytes())?);
    }
    telemetry::start(settings.log);
    let stop = signals::stop_on_signal().map_err(RunError::Signals)?;
    // A start may wait for another process' claim.
    if let Some(application) = stop.run_until_cancelled(Application::build(settings, origin)).await {
        application?.run(stop).await?;
    }
    Ok(())
}
