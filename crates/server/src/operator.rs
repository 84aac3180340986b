//! The operator listener: what those who run the service see, apart from what its clients reach.

use std::{io, net::TcpListener};

use actix_web::{App, HttpResponse, HttpServer, dev::Server, http::header, middleware::from_fn, web};
use tollbar_http::{not_found, request_span};

use crate::{docs, metrics};

/// The text format that Prometheus reads, <https://prometheus.io/docs/instrumenting/exposition_formats/>.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A server that serves once it is polled, and stops when its handle says so.
pub(crate) fn serve(socket: TcpListener) -> io::Result<Server> {
    let app = || {
        App::new()
            .route("/metrics", web::get().to(read))
            .configure(docs::mount)
            .configure(not_found)
            .wrap(from_fn(request_span))
    };
    Ok(HttpServer::new(app).workers(1).disable_signals().shutdown_timeout(1).listen(socket)?.run())
}

async fn read() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, FORMAT)).body(metrics::text())
}
