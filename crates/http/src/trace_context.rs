//! Which trace a request belongs to, in the words of W3C's Trace Context.

/// An extension of a request, which whoever traces requests around an app puts there: before [`request_span`](crate::request_span) it puts
/// the trace's id into each log line, and an answer of `/authz/…` that allows a request has it as headers, for the application behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    traceparent: String,
    tracestate: String,
}

impl TraceContext {
    /// The values of the two headers; an empty state is left out.
    pub fn new(traceparent: impl Into<String>, tracestate: impl Into<String>) -> Self {
        Self { traceparent: traceparent.into(), tracestate: tracestate.into() }
    }

    /// The id of the trace, in 32 digits.
    pub fn trace_id(&self) -> &str {
        self.traceparent.split('-').nth(1).unwrap_or_default()
    }

    /// The headers that pass it on.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let Self { traceparent, tracestate } = self.clone();
        [("traceparent", traceparent), ("tracestate", tracestate)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
    }
}
