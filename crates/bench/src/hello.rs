//! The measure of all: an actix-web app whose `/ping` does nothing.

use std::{net::SocketAddr, thread::available_parallelism};

use actix_web::{App, HttpResponse, HttpServer, web};
use clap::Args;

use crate::Failure;

/// Serve `{}` to everybody
#[derive(Args)]
pub(crate) struct Hello {
    /// Where to listen
    #[arg(long)]
    address: SocketAddr,
}

impl Hello {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let app = || App::new().route("/ping", web::get().to(done)).route("/healthz", web::get().to(done));
        Ok(HttpServer::new(app).workers(workers()).bind(self.address)?.run().await?)
    }
}

/// The answer of every subject to a ping that is let through.
pub(crate) async fn done() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body("{}")
}

/// As many as the service has by default: one a core.
pub(crate) fn workers() -> usize {
    available_parallelism().map_or(1, usize::from)
}
