//! What the routes serve: the core's use cases and the few choices that HTTP adds.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tollbar_core::usecases::{Analytics, Login, Logout, Ping, Readiness, Signup};
use tollbar_wire::Bar;

/// Everything that the routes need. Cheap to clone: one value serves every worker.
#[derive(Clone)]
pub struct Services {
    /// `POST /signup`.
    pub signup: Arc<Signup>,
    /// `POST /login`.
    pub login: Arc<Login>,
    /// `POST /logout`.
    pub logout: Arc<Logout>,
    /// Decides `/ping` and what proxies ask at `/authz/…`; says whether login gives a cookie, too.
    pub bar: Bar,
    /// What an admitted `GET /ping` does.
    pub ping: Arc<Ping>,
    /// `GET /top`, `GET /count` and `GET /calls`.
    pub analytics: Arc<Analytics>,
    /// `GET /readyz`.
    pub readiness: Arc<Readiness>,
    /// How long a body may take to arrive, in all.
    pub body_timeout: Duration,
    /// Makes `/readyz` answer 503 from the moment that the process begins to stop.
    pub shutdown: Shutdown,
}

/// Whether the process has begun to stop. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Shutdown(Arc<AtomicBool>);

impl Shutdown {
    /// Tells every clone that the process stops.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether the process stops.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
