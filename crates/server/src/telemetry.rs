//! Logs: lines for people or objects for machines, on standard output, and never a secret.

use std::{
    error::Error,
    io::{IsTerminal, stdout},
};

use tollbar_core::SPANS;
use tracing::{error, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    fmt::{
        self,
        format::{Format, Json},
    },
    layer::SubscriberExt,
    registry,
    util::SubscriberInitExt,
};

use crate::{
    settings::{LogFormat, LogLevel, LogSettings},
    span_fields::SpanFields,
    traces::Traces,
};

/// What is not for the log, above all dependencies whose lines repeat what clients sent. Records of the `log` crate, with which drivers show statements and
/// their parameters, are not taken at all.
const CAPPED: [(&str, LevelFilter); 4] = [
    // Below info it shows the values of headers that it refuses.
    ("actix_http", LevelFilter::INFO),
    // What it logs as an error is a client that speaks no HTTP, which anyone can be as often as they like.
    ("actix_http::h1::dispatcher", LevelFilter::OFF),
    // Its lines at info tell of threads, not of the service.
    ("actix_server", LevelFilter::WARN),
    // For a collector of traces. Where there is none, they are off by this before anything of them is made.
    (SPANS, LevelFilter::OFF),
];

/// Starts to log, and to hand spans to those who send them. A second call, as tests make it, changes nothing.
pub fn start(settings: LogSettings, traces: Option<&Traces>) {
    let filter = filter(settings.level);
    // A layer with a filter of its own costs each span something, so there is one only where spans are for two.
    let started = match (settings.format, traces) {
        (LogFormat::Text, None) => registry().with(filter).with(text()).try_init(),
        (LogFormat::Json, None) => registry().with(filter).with(json()).try_init(),
        (LogFormat::Text, Some(traces)) => {
            registry().with(text().with_filter(filter)).with(traces.layer()).try_init()
        }
        (LogFormat::Json, Some(traces)) => {
            registry().with(json().with_filter(filter)).with(traces.layer()).try_init()
        }
    };
    if started.is_ok() {
        std::panic::set_hook(Box::new(|panic| error!(%panic, "a thread panicked")));
    }
}

fn text<S>() -> fmt::Layer<S> {
    fmt::layer().with_ansi(stdout().is_terminal())
}

fn json<S>() -> fmt::Layer<S, SpanFields, Format<Json>> {
    fmt::layer().json().flatten_event(true).fmt_fields(SpanFields)
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
        assert!(!loud.would_enable(SPANS, &tracing::Level::ERROR));
    }

    #[test]
    fn without_a_collector_no_span_is_made_for_one() {
        tracing::subscriber::with_default(registry().with(filter(LogLevel::Trace)).with(text()), || {
            assert!(tracing::debug_span!(target: SPANS, "trip").is_disabled());
            assert!(!tracing::debug_span!("other").is_disabled());
        });
    }
}
