//! Logs: lines for people or objects for machines, on standard output, and never a secret.

use std::{
    error::Error,
    io::{IsTerminal, stdout},
};

use tracing::{error, level_filters::LevelFilter};
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    settings::{LogFormat, LogLevel, LogSettings},
    span_fields::SpanFields,
};

/// Dependencies whose lines repeat what clients sent. Records of the `log` crate, with which drivers show statements and
/// their parameters, are not taken at all.
const CAPPED: [(&str, LevelFilter); 3] = [
    // Below info it shows the values of headers that it refuses.
    ("actix_http", LevelFilter::INFO),
    // What it logs as an error is a client that speaks no HTTP, which anyone can be as often as they like.
    ("actix_http::h1::dispatcher", LevelFilter::OFF),
    // Its lines at info tell of threads, not of the service.
    ("actix_server", LevelFilter::WARN),
];

/// Starts to log. A second call, as tests make it, changes nothing.
pub fn start(settings: LogSettings) {
    let logs = tracing_subscriber::registry().with(filter(settings.level));
    let started = match settings.format {
        LogFormat::Text => logs.with(fmt::layer().with_ansi(stdout().is_terminal())).try_init(),
        LogFormat::Json => {
            logs.with(fmt::layer().json().flatten_event(true).fmt_fields(SpanFields)).try_init()
        }
    };
    if started.is_ok() {
        std::panic::set_hook(Box::new(|panic| error!(%panic, "a thread panicked")));
    }
}

fn filter(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let capped = CAPPED.into_iter().map(|(target, cap)| (target, cap.min(level)));
    Targets::new().with_default(level).with_targets(capped)
}

/// An error and its causes on one line.
pub fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Some errors repeat their cause.
        if !line.ends_with(&said) {
            line = format!("{line}: {said}");
        }
        cause = error.source();
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::io;

    use tollbar_core::StoreError;

    use super::*;

    #[test]
    fn causes_are_told_on_one_line() {
        let cause = io::Error::other("no\n  route");
        assert_eq!(one_line(&StoreError::permanent("open it", cause)), "open it failed: no route");
    }

    #[test]
    fn a_cap_never_raises_a_level() {
        let quiet = filter(LogLevel::Error);
        assert!(!quiet.would_enable("actix_http", &tracing::Level::INFO));
        let loud = filter(LogLevel::Trace);
        assert!(!loud.would_enable("actix_http::h1::decoder", &tracing::Level::DEBUG));
        assert!(loud.would_enable("tollbar_core", &tracing::Level::TRACE));
    }
}
