//! The engines that tests run on: those that the environment names, or our own for the time of the run.

use std::env;

use tollbar_testkit::{EngineError, POSTGRES_URL, PrivatePostgres, PrivateRedis, REDIS_URL};

use crate::error::XtaskError;
use crate::install::{Program, install_missing};

/// The engines of one run. Dropping them ends those that we started.
pub(crate) struct Engines {
    redis: Option<PrivateRedis>,
    postgres: Option<PrivatePostgres>,
}

impl Engines {
    /// Starts what the environment does not name, and installs it first if need be.
    pub(crate) fn start() -> Result<Self, XtaskError> {
        let (redis, postgres) = (!is_given(REDIS_URL), !is_given(POSTGRES_URL));
        let wanted = [redis.then_some(Program::Redis), postgres.then_some(Program::Postgres)];
        install_missing(&wanted.into_iter().flatten().collect::<Vec<_>>())?;
        let redis = redis.then(start_redis).transpose()?;
        let postgres = postgres.then(start_postgres).transpose()?;
        Ok(Self { redis, postgres })
    }

    /// The variables that name the started engines to the tests.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, String)> {
        let redis = self.redis.iter().map(|server| (REDIS_URL, server.url()));
        redis.chain(self.postgres.iter().map(|server| (POSTGRES_URL, server.url())))
    }
}

/// Whether the environment names one already.
pub(crate) fn is_given(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}

fn start_redis() -> Result<PrivateRedis, EngineError> {
    PrivateRedis::options().config("maxclients", "4000").try_start()
}

fn start_postgres() -> Result<PrivatePostgres, EngineError> {
    PrivatePostgres::options().setting("max_connections", "500").try_start()
}
