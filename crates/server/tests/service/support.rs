//! A service in this process, and a client for it and for the binary.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tollbar::{
    Application, RunError, StartError,
    settings::{Origin, Variables},
};

use crate::tiers::Tiers;

/// A service that listens on a free port until it is stopped or dropped.
pub(crate) struct Service {
    pub(crate) client: Client,
    pub(crate) address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<Result<(), RunError>>,
}

impl Service {
    pub(crate) async fn start(tiers: &Tiers, more: &[(&str, &str)]) -> Self {
        Self::try_start(tiers, more).await.unwrap()
    }

    /// The same with a configuration file.
    pub(crate) async fn start_by(tiers: &Tiers, file: &Path, more: &[(&str, &str)]) -> Self {
        Self::begin(tiers, Some(file.to_owned()), more).await.unwrap()
    }

    pub(crate) async fn try_start(tiers: &Tiers, more: &[(&str, &str)]) -> Result<Self, StartError> {
        Self::begin(tiers, None, more).await
    }

    async fn begin(tiers: &Tiers, file: Option<PathBuf>, more: &[(&str, &str)]) -> Result<Self, StartError> {
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let origin = Origin::new(file, Variables::of(tiers.variables().into_iter().chain(more)));
        let application = Application::build(origin.load().unwrap(), origin).await?;
        let (address, stop) = (application.address(), CancellationToken::new());
        let task = tokio::spawn(application.run(stop.clone()));
        Ok(Self { client: Client::of(address), address, stop, task })
    }

    /// Begins the shutdown.
    pub(crate) fn begin_stop(&self) {
        self.stop.cancel();
    }

    /// Shuts down and waits for the end.
    pub(crate) async fn stop(self) -> Result<(), RunError> {
        self.stop.cancel();
        self.task.await.unwrap()
    }
}

/// Speaks to one service.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
}

/// Status and JSON body of an answer; null where there is no body.
pub(crate) type Answer = (u16, Value);

impl Client {
    pub(crate) fn of(address: SocketAddr) -> Self {
        Self { http: reqwest::Client::new(), base: format!("http://{address}") }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn send(&self, method: Method, path: &str, token: Option<&str>) -> Response {
        let request =
            token.into_iter().fold(self.request(method, path), reqwest::RequestBuilder::bearer_auth);
        request.send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.send(Method::GET, path, None).await).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        let sent = self.request(Method::POST, path).json(body).send().await.unwrap();
        answer(sent).await
    }

    pub(crate) async fn signup(&self, name: &str) {
        assert_eq!(self.post("/signup", &account(name)).await, (200, json!({})));
    }

    /// The token of a new session.
    pub(crate) async fn login(&self, name: &str) -> String {
        let (status, body) = self.post("/login", &account(name)).await;
        assert_eq!((status, &body["message"]), (200, &json!("Login successful")), "{body}");
        body["sessionToken"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn ping(&self, token: &str) -> Answer {
        answer(self.send(Method::GET, "/ping", Some(token)).await).await
    }

    pub(crate) async fn logout(&self, token: &str) -> Answer {
        answer(self.send(Method::POST, "/logout", Some(token)).await).await
    }
}

async fn answer(response: Response) -> Answer {
    let status = response.status();
    let body = response.text().await.unwrap();
    let problem = status.is_client_error() || status.is_server_error();
    let body: Value = if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() };
    assert!(!problem || body["error"].is_string(), "{body}");
    (status.as_u16(), body)
}

/// Everybody's password is the same.
pub(crate) const PASSWORD: &str = "pass123-of-a-test";

pub(crate) fn account(name: &str) -> Value {
    json!({"username": name, "password": PASSWORD})
}
