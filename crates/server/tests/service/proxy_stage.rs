//! A client, a proxy with the configuration that ships, Tollbar, and an application.

use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use tollbar_testkit::{WebProxy, WebProxyKind};

use crate::{process::Process, support::account, tiers::Tiers, upstream::Upstream};

const POLICIES: &str = r#"
[session]
cookie = true

[[policies]]
name = "orders"
path = "/orders/*"
windows = [{ name = "burst", quota = 3, period = "1h" }, { name = "day", quota = 100, period = "1d" }]

[[policies]]
name = "many"
path = "/many/*"
windows = [{ quota = 137, period = "1h" }]

[[policies]]
name = "public"
path = "/public/*"
session = false
windows = []
"#;

/// All of them, started.
pub(crate) struct Stage {
    pub(crate) tollbar: Process,
    pub(crate) app: Upstream,
    pub(crate) proxy: WebProxy,
    pub(crate) http: reqwest::Client,
    pub(crate) kind: WebProxyKind,
    _tiers: Tiers,
}

impl Stage {
    pub(crate) async fn set(kind: WebProxyKind, tiers: Tiers, more: &[(&str, &str)]) -> Self {
        let file = tiers.folder.path().join("policies.toml");
        std::fs::write(&file, POLICIES).unwrap();
        let tollbar = Process::start_with(&tiers, &["--config", &file.display().to_string()], more).await;
        let app = Upstream::start();
        let proxy = WebProxy::start(kind, tollbar.address, app.address);
        Self { tollbar, app, proxy, http: reqwest::Client::new(), kind, _tiers: tiers }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.proxy.url()))
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Response {
        self.request(Method::GET, path).bearer_auth(token).send().await.unwrap()
    }

    /// A user's token, through the proxy.
    pub(crate) async fn login(&self, name: &str) -> String {
        let sent = self.request(Method::POST, "/signup").json(&account(name)).send().await.unwrap();
        assert_eq!(sent.status(), 200);
        let sent = self.request(Method::POST, "/login").json(&account(name)).send().await.unwrap();
        let cookie = sent.headers()["set-cookie"].to_str().unwrap().to_owned();
        let body: Value = sent.json().await.unwrap();
        let token = body["sessionToken"].as_str().unwrap().to_owned();
        assert!(cookie.starts_with(&format!("__Host-tollbar={token}; ")), "{cookie}");
        token
    }
}

pub(crate) fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    let mut all = response.headers().get_all(name).iter();
    let first = all.next().map(|value| value.to_str().unwrap());
    assert!(all.next().is_none(), "{name} more than once");
    first
}

pub(crate) async fn problem(response: Response, status: u16) -> Value {
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(header(&response, "content-type"), Some("application/problem+json"));
    assert_eq!(header(&response, "x-tollbar-problem"), None);
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["status"], status);
    assert!(problem["error"].is_string() || status == 503, "{problem}");
    problem
}

/// What the application was told of a header; a header that is empty is as good as none.
pub(crate) fn told<'a>(seen: &'a Value, name: &str) -> &'a str {
    seen["headers"][name].as_str().unwrap_or_default()
}
