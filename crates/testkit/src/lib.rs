//! Real engines for tests: databases and prefixes on the servers that `cargo xtask test` starts, private servers
//! that a test may kill, a TCP proxy that it may break, and the web proxies whose configurations ship.
//!
//! Everything here works from a plain `#[test]` and from a tokio test of any flavour, cleans up after itself when it
//! is dropped (also by a panic), and panics with one clear line where a test has no way to go on.

mod account;
mod address;
mod certificates;
mod cluster;
mod cluster_nodes;
mod cluster_slots;
mod database;
mod engine;
mod error;
mod files;
mod folder;
mod given;
mod names;
mod pgbouncer;
mod ports;
mod postgres;
mod postgres_tls;
mod prefix;
mod programs;
mod proxy;
mod pump;
mod redis_options;
mod redis_server;
mod redis_state;
mod sentinels;
mod waiting;
mod web_proxy;

pub use address::{address_of, through};
pub use certificates::{CertificateFiles, Certificates};
pub use cluster::{ClusterOptions, PrivateCluster};
pub use cluster_slots::SlotMove;
pub use database::TestDatabase;
pub use error::{EngineError, one_line};
pub use given::{POSTGRES_URL, PYTHON, REDIS_URL, postgres_url, python, redis_url};
pub use names::unique_name;
pub use pgbouncer::{PgBouncerOptions, PrivatePgBouncer};
pub use ports::free_port;
pub use postgres::{PostgresOptions, PrivatePostgres};
pub use prefix::RedisPrefix;
pub use programs::{
    find_caddy, find_chromedriver, find_chromium, find_nginx, find_pgbouncer, find_postgres, find_promtool,
    find_redis,
};
pub use proxy::Proxy;
pub use redis_options::RedisOptions;
pub use redis_server::PrivateRedis;
pub use redis_state::SavedRedis;
pub use sentinels::{PrivateSentinels, SentinelOptions};
pub use web_proxy::{WebProxy, WebProxyKind};
