//! The operator listener: what those who run the service see, apart from what its clients reach.

mod chart;
mod dashboard;
mod exposition;
mod latency;
mod numbers;
mod times;
mod view;

use std::{io, net::TcpListener};

use actix_web::{
    App, FromRequest, Handler, HttpResponse, HttpServer, Resource, Responder, dev::Server, http::header,
    middleware::from_fn, web,
};
use tollbar_http::{ApiError, not_found, unmeasured_request_span};

pub(crate) use dashboard::Sources;

use crate::{
    admin::{self, Admin},
    docs, metrics,
};

/// The text format that Prometheus reads, <https://prometheus.io/docs/instrumenting/exposition_formats/>.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Operators are few, and share the process's memory and files with its clients.
const MOST_CONNECTIONS: usize = 64;

/// A server that serves once it is polled, and stops when its handle says so.
pub(crate) fn serve(socket: TcpListener, sources: Sources, admin: Admin) -> io::Result<Server> {
    let app = move || {
        App::new()
            .service(page("/metrics", read))
            .configure(dashboard::configure(sources.clone()))
            .configure(admin::mount(admin.clone()))
            .configure(docs::mount)
            .configure(not_found)
            .wrap(from_fn(unmeasured_request_span))
    };
    let server = HttpServer::new(app).workers(1).max_connections(MOST_CONNECTIONS);
    Ok(server.disable_signals().shutdown_timeout(1).listen(socket)?.run())
}

/// What is only read.
fn page<F, Args>(path: &'static str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let refuse = || async { Err::<&str, _>(ApiError::MethodNotAllowed("GET")) };
    web::resource(path).get(handler).default_service(web::to(refuse))
}

async fn read() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, FORMAT)).body(metrics::text())
}
