//! The way to the collector: OTLP over HTTP, in protobuf. One that is away is told of once.

use std::{
    fmt::Write as _,
    mem::take,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use hyper_rustls::HttpsConnectorBuilder;
use metrics::counter;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response, hyper::HyperClient};
use opentelemetry_otlp::{Protocol, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use super::TracesError;
use crate::{
    settings::{TraceSettings, is_tls},
    telemetry::one_line,
};

/// Sends spans to the collector of these settings.
pub(super) fn exporter(settings: &TraceSettings) -> Result<impl SpanExporter + use<>, TracesError> {
    let reason = Arc::new(Mutex::default());
    let client =
        OnRuntime { runtime: Handle::current(), client: client(settings)?, reason: Arc::clone(&reason) };
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&settings.endpoint)
        .with_headers(settings.headers.iter().cloned().collect())
        .with_timeout(settings.timeout)
        .build()?;
    Ok(Watched { exporter, reason, is_away: AtomicBool::new(false) })
}

/// A client for one endpoint. Each request has its deadline.
fn client(settings: &TraceSettings) -> Result<Arc<dyn HttpClient>, TracesError> {
    if !is_tls(&settings.endpoint) {
        return Ok(Arc::new(HyperClient::with_default_connector(settings.timeout, None)));
    }
    let provider = rustls::crypto::ring::default_provider();
    let roots = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider);
    let connector = roots.map_err(TracesError::Certificates)?.https_only().enable_http1().build();
    Ok(Arc::new(HyperClient::new(connector, settings.timeout, None)))
}

/// A client whose connections live on a runtime, while spans are sent from a thread that has none.
#[derive(Debug)]
struct OnRuntime {
    runtime: Handle,
    client: Arc<dyn HttpClient>,
    /// Why the last request failed, which the exporter does not tell.
    reason: Arc<Mutex<String>>,
}

#[async_trait]
impl HttpClient for OnRuntime {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = Arc::clone(&self.client);
        let sending = self.runtime.spawn(async move { client.send_bytes(request).await });
        let answer = AbortOnDropHandle::new(sending).await.unwrap_or_else(|ended| Err(ended.into()));
        if let Err(error) = &answer {
            *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = one_line(&**error);
        }
        answer
    }
}

/// Says once that the collector is away, and once that it is back.
#[derive(Debug)]
struct Watched<E> {
    exporter: E,
    reason: Arc<Mutex<String>>,
    is_away: AtomicBool,
}

impl<E: SpanExporter> SpanExporter for Watched<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let sent = self.exporter.export(batch).await;
        let reason = take(&mut *self.reason.lock().unwrap_or_else(PoisonError::into_inner));
        let was_away = self.is_away.swap(sent.is_err(), Ordering::Relaxed);
        match &sent {
            Ok(()) if was_away => info!("traces reach the collector again"),
            Err(error) if !was_away => {
                let mut why = error.to_string();
                if !reason.is_empty() {
                    // To a string this cannot fail.
                    let _ = write!(why, ": {reason}");
                }
                warn!(error = why, "traces do not reach the collector, and are thrown away until they do");
            }
            _ => {}
        }
        let outcome = if sent.is_ok() { "sent" } else { "lost" };
        counter!("tollbar_trace_spans_total", "outcome" => outcome).increment(spans);
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.exporter.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &opentelemetry_sdk::Resource) {
        self.exporter.set_resource(resource);
    }
}
