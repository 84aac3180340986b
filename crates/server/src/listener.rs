//! The HTTP server: actix's, over connections that are kept at a pace.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    thread::available_parallelism,
};

use actix_http::{ConnectionType, HttpService, Request};
use actix_server::{Server, ServerBuilder};
use actix_service::{IntoServiceFactory, Service};
use actix_service::{ServiceFactoryExt, apply_fn_factory, fn_service, map_config};
use actix_web::{App, Error, dev::AppConfig, middleware::from_fn, rt::net::TcpStream};
use futures_util::future::ready;
use tollbar_http::{Services, configure, not_found, request_span};
use tracing::Instrument;

use crate::{
    paced::{LINGER, Pace, Paced},
    settings::ServerSettings,
    traces::ServerSpan,
};

const BACKLOG: u32 = 1024;
/// The shutdown has a clock of its own; this one only must not be earlier.
const NO_LIMIT: u64 = 3600;

/// Opens the socket.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4()?,
        SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6()?,
    };
    // So that a restart need not wait for the connections of the process before it.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// A server that serves once it is polled, and stops when its handle says so.
pub(crate) fn serve(
    socket: TcpListener,
    services: Services,
    settings: &ServerSettings,
) -> io::Result<Server> {
    let workers =
        settings.workers.map_or_else(|| available_parallelism().map_or(1, usize::from), usize::from);
    let limit = settings.client_timeout;
    let builder: ServerBuilder = Server::build()
        .workers(workers)
        .max_concurrent_connections(settings.max_connections.div_ceil(workers))
        .shutdown_timeout(NO_LIMIT)
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let builder = builder.listen("http", socket, move || {
        let (services, stopping) = (services.clone(), stopping.clone());
        let app = App::new().configure(configure(services)).configure(not_found).wrap(from_fn(request_span));
        let app = app.into_factory().map_err(|error: Error| error.error_response());
        let app = map_config(app, |()| AppConfig::default());
        let app = apply_fn_factory(app, |request: Request, app| {
            let pace = request.conn_data::<Pace>().cloned();
            let serving = pace.as_ref().map(Pace::serve);
            let traced = ServerSpan::begin(&request);
            let answer = app.call(request).instrument(traced.span().clone());
            async move {
                let answer = answer.await;
                match &answer {
                    Ok(answer) => {
                        let route = || answer.request().match_pattern();
                        traced.answered(route, answer.status(), answer.headers());
                    }
                    Err(answer) => traced.answered(|| None, answer.status(), answer.headers()),
                }
                if let (Ok(answer), Some(pace)) = (&answer, &pace)
                    && answer.response().head().connection_type() == ConnectionType::Close
                {
                    pace.close();
                }
                drop(serving);
                answer
            }
        });
        let http = HttpService::build()
            .client_request_timeout(limit)
            .keep_alive(limit)
            .client_disconnect_timeout(LINGER)
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .on_connect_ext(|stream: &Paced<TcpStream>, data| {
                data.insert(stream.pace());
            })
            .h1(app);
        fn_service(move |stream: TcpStream| {
            let peer = stream.peer_addr().ok();
            // Answers are small and whole: to hold them back for more gains nothing.
            let _ = stream.set_nodelay(true);
            ready(Ok((Paced::new(stream, limit), peer)))
        })
        .and_then(http)
    })?;
    Ok(builder.run())
}
