//! The binary: the command line, a runtime, and what the process ends with.

use std::{process::ExitCode, time::Duration};

use tokio::runtime::Runtime;
use tollbar::{
    cli::{Arguments, CommandError, report, run},
    telemetry,
};

// A call takes some dozens of small allocations, and frees them on its own thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long what blocks a thread, such as a disk that does not answer, may keep a process that has ended otherwise.
const PATIENCE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let arguments = Arguments::of_process();
    let as_json = arguments.json;
    let ended = Runtime::new().map_err(CommandError::Threads).and_then(|runtime| {
        let ended = runtime.block_on(run(arguments));
        runtime.shutdown_timeout(PATIENCE);
        ended
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&telemetry::one_line(&error), error.exit_code(), as_json);
            ExitCode::from(error.exit_code())
        }
    }
}
