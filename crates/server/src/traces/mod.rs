//! Traces: spans of requests and of trips to engines, sampled, and sent to a collector by OTLP. Where no collector is set, nothing of it is
//! started.

mod collector;
mod context;
mod server_span;

use std::{io, time::Duration};

use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider},
};
use tollbar_core::SPANS;
use tracing::{Subscriber, level_filters::LevelFilter, warn};
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

pub(crate) use self::server_span::ServerSpan;
use crate::settings::TraceSettings;

/// How many spans may wait to be sent; more are thrown away. One takes some hundred bytes.
const QUEUE: usize = 4096;
const BATCH: usize = 512;
/// How long a span waits for others.
const DELAY: Duration = Duration::from_secs(2);

/// Spans cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// What is set, here or by a variable of OpenTelemetry's own, cannot be done.
    #[error("bad settings of [traces]")]
    Settings(#[from] ExporterBuildError),
    /// The certificates of the system cannot be read.
    #[error("traces.endpoint asks for TLS, and the system has no certificates")]
    Certificates(#[source] io::Error),
}

/// What sends spans, on a thread of its own. Clones are the same.
#[derive(Debug, Clone)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins to send, by the runtime that this is called on. That the collector is away is no error.
    ///
    /// # Errors
    /// See [`TracesError`].
    pub fn start(settings: &TraceSettings) -> Result<Self, TracesError> {
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(DELAY)
            .build();
        let sending = BatchSpanProcessor::builder(collector::exporter(settings)?).with_batch_config(batches);
        let service = Resource::builder()
            .with_service_name(settings.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        // Whoever calls has decided already; else it is a matter of chance.
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sample_ratio)));
        let provider = SdkTracerProvider::builder()
            .with_span_processor(sending.build())
            .with_resource(service)
            .with_sampler(sampler);
        Ok(Self(provider.build()))
    }

    /// Takes the spans that are for a collector, and nothing that is for the log.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("tollbar"))
            // Parents are found by the spans of `tracing`, so that entering one costs nothing.
            .with_context_activation(false)
            .with_location(false)
            .with_level(false)
            .with_target(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(Targets::new().with_target(SPANS, LevelFilter::DEBUG))
    }

    /// Sends what waits and ends, within this time: what a collector has not taken by then is lost.
    pub(crate) async fn end(self, within: Duration) {
        let ending = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(within));
        // The thread keeps to the time, too; it may only begin late.
        if !matches!(tokio::time::timeout(within, ending).await, Ok(Ok(Ok(())))) {
            warn!(?within, "the last traces did not reach the collector in time");
        }
    }
}
