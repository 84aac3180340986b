//! The binary: settings, telemetry, then the application until a signal ends it.

use std::{io::Write, process::ExitCode};

use tollbar::{Application, RunError, Settings, cli::Arguments, settings::Variables, signals, telemetry};

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
    let settings = Settings::load(arguments.config.as_deref(), Variables::of_process())?;
    telemetry::start(settings.log);
    let stop = signals::stop_on_signal().map_err(RunError::Signals)?;
    // A start may wait for another process' claim.
    if let Some(application) = stop.run_until_cancelled(Application::build(settings)).await {
        application?.run(stop).await?;
    }
    Ok(())
}
