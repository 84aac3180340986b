//! Files of requests: request line, headers (with bars between them) and body a line, with tabs between them.

use std::{fs, path::Path};

use crate::Failure;

/// One request, as `lua/requests.lua` reads it.
pub(crate) struct Request {
    pub(crate) call: String,
    pub(crate) header: String,
    pub(crate) body: String,
}

impl Request {
    /// A ping with this token.
    pub(crate) fn ping(token: &str) -> Self {
        Self::ping_with(format!("Authorization: Bearer {token}"))
    }

    /// A ping with this header.
    pub(crate) fn ping_with(header: String) -> Self {
        Self { call: "GET /ping".into(), header, body: String::new() }
    }

    /// A login of this user.
    pub(crate) fn login(username: &str, password: &str) -> Self {
        let body = serde_json::json!({ "username": username, "password": password }).to_string();
        Self { call: "POST /login".into(), header: "Content-Type: application/json".into(), body }
    }
}

/// Writes a file of requests.
pub(crate) fn write(file: &Path, requests: impl IntoIterator<Item = Request>) -> Result<(), Failure> {
    let line = |Request { call, header, body }: Request| format!("{call}\t{header}\t{body}\n");
    Ok(fs::write(file, requests.into_iter().map(line).collect::<String>())?)
}

/// Reads a file of requests.
pub(crate) fn read(file: &Path) -> Result<Vec<Request>, Failure> {
    let text = fs::read_to_string(file)?;
    let request = |line: &str| {
        let mut parts = line.splitn(3, '\t').map(ToOwned::to_owned);
        let (call, header, body) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Request { call, header, body })
    };
    text.lines().map(|line| request(line).ok_or_else(|| "not a file of requests".into())).collect()
}
