//! Policies that change while the service runs: read again after a SIGHUP, and where their file has changed.

use std::time::Duration;

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{interval, timeout},
};
use tollbar_http::Bar;
use tracing::{error, info, warn};

use crate::settings::{Origin, Stamp};

/// How often the file is looked at. Polling sees every kind of change on every kind of file system: edits in place, renames over the
/// file, and links that are turned, as Kubernetes does.
const EVERY: Duration = Duration::from_secs(1);
/// How long a read may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes SIGHUP over, which would end the process otherwise. `None`: the system gives no signals.
pub(crate) fn hangups() -> Option<Signal> {
    let hangups = signal(SignalKind::hangup());
    hangups.inspect_err(|error| warn!(%error, "no signals: policies are read again by their file only")).ok()
}

/// Exchanges the policies for as long as it is polled.
pub(crate) async fn reload(origin: Origin, bar: Bar, mut hangups: Option<Signal>) {
    let mut next_hangup = async || match &mut hangups {
        Some(hangups) => hangups.recv().await,
        None => std::future::pending().await,
    };
    let mut tick = interval(EVERY);
    let mut held = origin.begun();
    let mut seen = held;
    loop {
        tokio::select! {
            _ = next_hangup() => {
                (held, seen) = aside(&origin, Origin::stamp).await.map_or((held, seen), |now| (now, now));
                exchange(&origin, &bar).await;
            }
            _ = tick.tick() => {
                let Some(now): Option<Stamp> = aside(&origin, Origin::stamp).await else { continue };
                // Twice the same: whoever writes the file has finished. A file that is gone changes nothing.
                if now.is_some() && now == seen && now != held {
                    held = now;
                    exchange(&origin, &bar).await;
                }
                seen = now;
            }
        }
    }
}

/// Does what may wait for a disk where waiting is allowed, and for so long.
async fn aside<T: Send + 'static>(origin: &Origin, work: fn(&Origin) -> T) -> Option<T> {
    let origin = origin.clone();
    match timeout(PATIENCE, tokio::task::spawn_blocking(move || work(&origin))).await {
        Ok(Ok(done)) => Some(done),
        Ok(Err(panic)) => {
            error!(%panic, "the former policies hold: the settings were not read");
            None
        }
        Err(_) => {
            error!("the former policies hold: the settings' file does not answer");
            None
        }
    }
}

/// Reads the settings and takes the policies out of them, or leaves all as it is.
async fn exchange(origin: &Origin, bar: &Bar) {
    match aside(origin, Origin::load_again).await {
        Some(Ok(settings)) => {
            bar.authorize().exchange(settings.policies.table());
            let policies = settings.policies.count();
            info!(policies, "the policies were exchanged; other settings hold from the next start on");
        }
        Some(Err(error)) => error!(%error, "the former policies hold: the settings cannot be used"),
        None => {}
    }
}
