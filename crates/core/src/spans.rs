//! Spans of trips to engines, for whoever collects traces: what was asked of which server, how long it took and how it ended, and never
//! what was in it.

use tracing::{Span, debug_span, field::Empty};

use crate::StoreError;

/// The target of every span that is for a collector of traces, and not for the log.
pub const SPANS: &str = "tollbar::spans";

/// One call to an engine, as a span by OpenTelemetry's conventions for clients of databases. It begins as a part of whatever span is
/// current, and ends with its last clone. Where nobody collects [`SPANS`] it is nothing.
#[derive(Debug, Clone)]
pub struct Trip(Span);

impl Trip {
    /// One to any server of an engine.
    pub fn begin(engine: &'static str, operation: &'static str) -> Self {
        Self::to(&Place { system: system(engine), address: None, port: None, namespace: None }, operation)
    }

    /// None at all: another span tells of the call.
    pub fn untold() -> Self {
        Self(Span::none())
    }

    pub(crate) fn to(place: &Place, operation: &'static str) -> Self {
        Self(debug_span!(
            target: SPANS,
            "trip",
            "otel.name" = %format_args!("{} {operation}", place.system),
            "otel.kind" = "client",
            "otel.status_code" = Empty,
            "db.system.name" = place.system,
            "db.namespace" = place.namespace.as_deref(),
            "db.operation.name" = operation,
            "db.operation.batch.size" = Empty,
            "server.address" = place.address.as_deref(),
            "server.port" = place.port,
            "error.type" = Empty,
        ))
    }

    /// Says that so many calls travel together.
    pub fn is_shared_by(&self, calls: usize) {
        // By the conventions, one alone is no batch.
        if calls > 1 {
            self.0.record("db.operation.batch.size", i64::try_from(calls).unwrap_or(i64::MAX));
        }
    }

    /// Says how it ended.
    pub fn ended<T>(&self, done: &Result<T, StoreError>) {
        if let Err(failure) = done {
            self.0.record("error.type", failure.kind());
            self.0.record("otel.status_code", "error");
        }
    }
}

/// A span for work that goes on in a task of its own, and may serve more callers than the one that began it.
pub(crate) fn shared_work(name: &'static str) -> Span {
    debug_span!(target: SPANS, "shared work", "otel.name" = name)
}

/// An engine's server, as the conventions name its parts.
#[derive(Debug)]
pub(crate) struct Place {
    system: &'static str,
    address: Option<String>,
    port: Option<i64>,
    namespace: Option<String>,
}

impl Place {
    /// Of `host:port` or `host:port/database`; what is neither is a name of our own, which says nothing to others.
    pub(crate) fn of(engine: &'static str, server: &str) -> Self {
        let (server, namespace) = match server.rsplit_once('/') {
            Some((server, namespace)) => (server, Some(namespace.to_owned())),
            None => (server, None),
        };
        let place = server.rsplit_once(':').filter(|_| !server.contains(','));
        let place = place.and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
        Self {
            system: system(engine),
            address: place.map(|(host, _)| host.trim_matches(['[', ']']).to_owned()),
            port: place.map(|(_, port)| port.into()),
            namespace,
        }
    }
}

/// The conventions' name of an engine.
fn system(engine: &'static str) -> &'static str {
    if engine == "postgres" { "postgresql" } else { engine }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_the_parts_that_the_conventions_name() {
        let parts = |engine, server| {
            let Place { system, address, port, namespace } = Place::of(engine, server);
            (system, address.unwrap_or_default(), port.unwrap_or_default(), namespace.unwrap_or_default())
        };
        let expected = |system, address: &str, port, namespace: &str| {
            (system, address.to_owned(), port, namespace.to_owned())
        };
        assert_eq!(parts("postgres", "db:5432/tollbar"), expected("postgresql", "db", 5432, "tollbar"));
        assert_eq!(parts("postgres", "/run/pg:5432/t"), expected("postgresql", "/run/pg", 5432, "t"));
        assert_eq!(parts("postgres", "a:1,b:2/t"), expected("postgresql", "", 0, "t"));
        assert_eq!(parts("redis", "[::1]:6379"), expected("redis", "::1", 6379, ""));
        assert_eq!(parts("sqlite", "writer"), expected("sqlite", "", 0, ""));
    }

    #[test]
    fn where_nobody_collects_them_there_are_none() {
        assert!(Trip::begin("redis", "admit a call").0.is_disabled());
        assert!(shared_work("load sessions").is_disabled());
    }
}
