//! Signals: the first ends the service in order, the second at once.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Takes SIGHUP over for the life of the process: it asks for the policies to be read again, and ends nothing.
pub fn survive_hangups() {
    // The system's own way is not restored when this goes. Without signals there is nothing to survive.
    drop(signal(SignalKind::hangup()));
}

/// A token that SIGTERM or SIGINT cancels. The next such signal ends the process on the spot.
///
/// # Errors
/// The system gives no signals.
pub fn stop_on_signal() -> io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let first = stop.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => ("SIGTERM", 15),
                _ = interrupt.recv() => ("SIGINT", 2),
            }
        };
        let (name, _) = next().await;
        info!(signal = name, "stopping: a second signal ends it at once");
        first.cancel();
        let (name, number) = next().await;
        warn!(signal = name, "stopped at once");
        std::process::exit(128 + number);
    });
    Ok(stop)
}
