//! The peer: sessions, a limit and counts of well-known parts, on the same Redis.

use std::{net::SocketAddr, time::Duration};

use actix_limitation::{Limiter, RateLimiter};
use actix_session::{Session, SessionExt as _, SessionMiddleware, storage::RedisSessionStore};
use actix_web::{
    App, HttpResponse, HttpServer,
    cookie::Key,
    dev::ServiceRequest,
    error::{ErrorInternalServerError, ErrorTooManyRequests, ErrorUnauthorized},
    middleware::Condition,
    web::{self, Data, Path},
};
use clap::Args;
use redis::{aio::ConnectionManager, pipe};

use crate::{
    Failure,
    hello::{done, workers},
};

const USER: &str = "user";
/// Nobody comes near it.
const LIMIT: usize = 1_000_000_000;
const PERIOD: Duration = Duration::from_secs(60);

/// Serve what actix-session, actix-limitation and two Redis commands make
#[derive(Args)]
pub(crate) struct Peer {
    /// Where to listen
    #[arg(long)]
    address: SocketAddr,
    /// redis://…
    #[arg(long)]
    redis: String,
    /// Send actix-limitation's commands over a connection that is kept: the crate itself connects anew for each call
    #[arg(long)]
    keep: bool,
}

/// What the handlers share.
#[derive(Clone)]
struct Shared {
    redis: ConnectionManager,
    keep: bool,
}

/// No password is asked: the peer is measured on its pings.
async fn login(user: Path<u64>, session: Session) -> actix_web::Result<HttpResponse> {
    session.insert(USER, *user)?;
    Ok(done().await)
}

async fn ping(session: Session, shared: Data<Shared>) -> actix_web::Result<HttpResponse> {
    let user: u64 = session.get(USER)?.ok_or_else(|| ErrorUnauthorized("no session"))?;
    let mut redis = shared.redis.clone();
    if shared.keep {
        let key = limit_key(user);
        let mut charge = pipe();
        charge.atomic().cmd("SET").arg(&key).arg(0).arg("EX").arg(PERIOD.as_secs()).arg("NX").ignore();
        charge.cmd("INCR").arg(&key).cmd("TTL").arg(&key);
        let (calls, _): (usize, i64) =
            charge.query_async(&mut redis).await.map_err(ErrorInternalServerError)?;
        if calls > LIMIT {
            return Err(ErrorTooManyRequests("too many calls"));
        }
    }
    let mut count = pipe();
    count.zincr("peer:board", user, 1).ignore().pfadd("peer:callers", user).ignore();
    count.exec_async(&mut redis).await.map_err(ErrorInternalServerError)?;
    Ok(done().await)
}

fn limit_key(user: u64) -> String {
    format!("peer:limit:{user}")
}

impl Peer {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let caller = |request: &ServiceRequest| request.get_session().get(USER).ok().flatten().map(limit_key);
        let limiter = Limiter::builder(&self.redis).key_by(caller).limit(LIMIT).period(PERIOD).build();
        let limiter = Data::new(limiter.map_err(|error| error.to_string())?);
        let store = RedisSessionStore::new(&self.redis).await.map_err(|error| error.to_string())?;
        let redis = ConnectionManager::new(redis::Client::open(self.redis)?).await?;
        let (shared, key) = (Data::new(Shared { redis, keep: self.keep }), Key::generate());
        let app = move || {
            App::new()
                .app_data(limiter.clone())
                .app_data(shared.clone())
                .route("/healthz", web::get().to(done))
                .route("/login/{user}", web::post().to(login))
                .route("/ping", web::get().to(ping))
                .wrap(Condition::new(!self.keep, RateLimiter::default()))
                .wrap(SessionMiddleware::new(store.clone(), key.clone()))
        };
        Ok(HttpServer::new(app).workers(workers()).bind(self.address)?.run().await?)
    }
}
