//! What tests are given by their environment: servers, and a Python with the tools for the API's description.

use std::path::PathBuf;

/// The variable that names the PostgreSQL server on which tests may create databases.
pub const POSTGRES_URL: &str = "TOLLBAR_TEST_POSTGRES_URL";

/// The variable that names the Redis server on which tests may write.
pub const REDIS_URL: &str = "TOLLBAR_TEST_REDIS_URL";

/// The variable that names a Python in which the packages of `crates/server/tests/openapi/requirements.txt` are installed.
pub const PYTHON: &str = "TOLLBAR_TEST_PYTHON";

/// URL of the PostgreSQL server that tests may create databases on.
///
/// A missing server is never a skipped test: this panics and says what to do.
#[track_caller]
pub fn postgres_url() -> String {
    given(POSTGRES_URL, "a PostgreSQL server on which tests may create databases")
}

/// URL of the Redis server that tests may write to.
///
/// A missing server is never a skipped test: this panics and says what to do.
#[track_caller]
pub fn redis_url() -> String {
    given(REDIS_URL, "a Redis server that tests may use")
}

/// A Python that has the tools which read the API's description.
///
/// One that is missing is never a skipped test: this panics and says what to do.
#[track_caller]
pub fn python() -> PathBuf {
    given(PYTHON, "a Python with the packages of crates/server/tests/openapi/requirements.txt").into()
}

#[track_caller]
fn given(variable: &str, server: &str) -> String {
    match std::env::var(variable) {
        Ok(url) if !url.is_empty() => url,
        _ => panic!("run `cargo xtask test`, or set {variable} to {server}"),
    }
}
