//! A small application behind a proxy: it tells what reached it, and counts it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, web};
use serde_json::{Map, Value, json};

/// A running application. Dropping it stops it.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    reached: Arc<AtomicUsize>,
    server: ServerHandle,
}

impl Upstream {
    pub(crate) fn start() -> Self {
        let reached = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&reached);
        let app =
            move || App::new().app_data(web::Data::from(Arc::clone(&count))).default_service(web::to(tell));
        let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let (address, server) = (server.addrs()[0], server.run());
        let handle = server.handle();
        tokio::spawn(server);
        Self { address, reached, server: handle }
    }

    /// How many requests have reached it.
    pub(crate) fn reached(&self) -> usize {
        self.reached.load(Ordering::SeqCst)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

/// Everything of a request, as JSON; with the status that `?status=` asks for.
async fn tell(request: HttpRequest, body: web::Bytes, reached: web::Data<AtomicUsize>) -> HttpResponse {
    reached.fetch_add(1, Ordering::SeqCst);
    let mut headers = Map::new();
    for (name, value) in request.headers() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let all = headers.entry(name.as_str()).or_insert_with(|| Value::String(String::new()));
        let before = all.as_str().unwrap_or_default();
        *all = Value::String(if before.is_empty() { value } else { format!("{before}, {value}") });
    }
    let status = request.query_string().strip_prefix("status=").and_then(|status| status.parse().ok());
    let mut answer = HttpResponse::build(status.unwrap_or(200).try_into().unwrap());
    answer.json(json!({
        "method": request.method().as_str(),
        "target": request.uri().to_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    }))
}
