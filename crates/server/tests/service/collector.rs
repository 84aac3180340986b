//! A collector on this machine that keeps the spans it is sent, and what one of them says.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, web};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    common::v1::{KeyValue, any_value},
    trace::v1::{span::SpanKind, status::StatusCode},
};
use prost::Message as _;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tollbar_testkit::Certificates;

/// A span as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty where it begins its trace.
    pub(crate) parent: String,
    pub(crate) state: String,
    pub(crate) is_error: bool,
    pub(crate) attributes: BTreeMap<String, String>,
    /// Attributes of the service.
    pub(crate) service: BTreeMap<String, String>,
    pub(crate) nanos: u64,
}

impl Seen {
    pub(crate) fn get(&self, attribute: &str) -> &str {
        self.attributes.get(attribute).map_or("", String::as_str)
    }
}

/// A running collector. Dropping it stops it.
pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    scheme: &'static str,
    spans: Arc<Mutex<Vec<Seen>>>,
    server: ServerHandle,
}

/// The token without which it takes nothing.
pub(crate) const TOKEN: &str = "token-of-the-collector";

impl Collector {
    pub(crate) fn start() -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    /// Behind TLS, for who trusts the authority of these certificates.
    pub(crate) fn start_tls(certificates: &Certificates) -> Self {
        let files = certificates.server();
        let chain = CertificateDer::pem_file_iter(&files.certificate).unwrap().map(Result::unwrap).collect();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::from_pem_file(&files.key).unwrap())
            .unwrap();
        Self::serve(TcpListener::bind("127.0.0.1:0").unwrap(), Some(config))
    }

    pub(crate) fn start_at(socket: TcpListener) -> Self {
        Self::serve(socket, None)
    }

    fn serve(socket: TcpListener, tls: Option<ServerConfig>) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (address, spans) = (socket.local_addr().unwrap(), Arc::<Mutex<Vec<Seen>>>::default());
        let kept = Arc::clone(&spans);
        let app = move || {
            let spans = web::Data::from(Arc::clone(&kept));
            App::new().app_data(spans).route("/v1/traces", web::post().to(take))
        };
        let server = HttpServer::new(app).workers(1).disable_signals();
        let server = match tls {
            Some(config) => server.listen_rustls_0_23(socket, config),
            None => server.listen(socket),
        };
        let server = server.unwrap().run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { address, scheme, spans, server: handle }
    }

    /// The variables that have a service send its spans here.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let variables = [
            ("TOLLBAR__TRACES__ENDPOINT", format!("{}://{}", self.scheme, self.address)),
            ("TOLLBAR__TRACES__HEADERS", format!("Authorization=Bearer%20{TOKEN}")),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// What it was sent.
    pub(crate) fn spans(&self) -> Vec<Seen> {
        self.spans.lock().unwrap().clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

async fn take(request: HttpRequest, body: web::Bytes, spans: web::Data<Mutex<Vec<Seen>>>) -> HttpResponse {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    if header("authorization") != Some(format!("Bearer {TOKEN}")) {
        return HttpResponse::Unauthorized().finish();
    }
    assert_eq!(header("content-type").as_deref(), Some("application/x-protobuf"));
    let sent = ExportTraceServiceRequest::decode(body).unwrap();
    for service in sent.resource_spans {
        let attributes = texts(&service.resource.unwrap().attributes);
        for scope in service.scope_spans {
            for span in scope.spans {
                spans.lock().unwrap().push(Seen {
                    kind: span.kind(),
                    trace: hex(&span.trace_id),
                    id: hex(&span.span_id),
                    parent: hex(&span.parent_span_id),
                    state: span.trace_state,
                    is_error: span.status.is_some_and(|status| status.code() == StatusCode::Error),
                    attributes: texts(&span.attributes),
                    service: attributes.clone(),
                    nanos: span.end_time_unix_nano - span.start_time_unix_nano,
                    name: span.name,
                });
            }
        }
    }
    let answer = ExportTraceServiceResponse::default().encode_to_vec();
    HttpResponse::Ok().content_type("application/x-protobuf").body(answer)
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |pair: &KeyValue| {
        let value = match pair.value.as_ref().unwrap().value.as_ref().unwrap() {
            any_value::Value::StringValue(text) => text.clone(),
            any_value::Value::IntValue(number) => number.to_string(),
            other => panic!("{other:?}"),
        };
        (pair.key.clone(), value)
    };
    attributes.iter().map(text).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}
