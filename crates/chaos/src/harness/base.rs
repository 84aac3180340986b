//! Sends one request and says what became of it.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, redirect, retry};
use serde_json::Value;

use crate::history::Answer;

/// How long a client waits: longer than everything that is still an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Shorter than the server keeps a connection that is idle, so that none is used that is just being closed.
const IDLE: Duration = Duration::from_secs(4);
/// What keeps a connection to a process on this machine from being made is a process that is not there.
const CONNECT: Duration = Duration::from_secs(2);

/// A client of one process. Nothing is ever sent twice.
#[derive(Debug, Clone)]
pub(super) struct Base {
    http: reqwest::Client,
    url: String,
}

impl Base {
    /// A client of the process that listens there.
    pub(super) fn new(address: SocketAddr) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .http1_only()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .pool_idle_timeout(IDLE)
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            .build()?;
        Ok(Self { http, url: format!("http://{address}") })
    }

    /// A request to be completed.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }
}

/// Sends a request; its answer, and the body if that is JSON.
pub(super) async fn send(request: RequestBuilder) -> (Answer, Value) {
    let answered = async {
        let response = request.send().await?;
        let retry_after = response.headers().contains_key("retry-after");
        let answer = Answer::Status { code: response.status().as_u16(), retry_after };
        let body = response.bytes().await?;
        Ok::<_, reqwest::Error>((answer, serde_json::from_slice(&body).unwrap_or_default()))
    };
    answered.await.unwrap_or_else(|error| {
        let answer = match () {
            () if error.is_connect() => Answer::NotSent,
            () if error.is_timeout() => Answer::Silent,
            () => Answer::Lost,
        };
        (answer, Value::Null)
    })
}
