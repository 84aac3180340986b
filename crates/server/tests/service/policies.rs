//! Policies of every kind, as a proxy asks about them, on both ends of the pairs of tiers.

use reqwest::{RequestBuilder, Response};

use crate::{process::Process, tiers::Tiers};

const POLICIES: &str = r#"
[[policies]]
name = "by-address"
path = "/address/*"
limit_by = "address"
session = false
windows = [{ quota = 2, period = "1h" }]

[[policies]]
name = "by-key"
path = "/key/*"
limit_by = "header:X-Api-Key"
windows = [{ quota = 2, period = "1h" }]

[[policies]]
name = "by-path"
path = "/path/{id}"
limit_by = "user+path"
windows = [{ quota = 2, period = "1h" }]

[[policies]]
name = "dear"
path = "/dear"
methods = ["GET", "POST"]
cost = { POST = 5, GET = 2 }
algorithm = "gcra"
windows = [{ quota = 20000, period = "1h" }]

[[policies]]
name = "at-host"
path = "/*"
host = "*.example.com"
windows = [{ quota = 1, period = "1h" }]

[[policies]]
name = "shadow"
path = "/shadow"
mode = "shadow"
windows = [{ quota = 1, period = "1h" }]
"#;

struct Stage {
    process: Process,
    http: reqwest::Client,
    token: String,
    _tiers: Tiers,
}

impl Stage {
    async fn set(tiers: Tiers, more: &str) -> Self {
        let file = tiers.folder.path().join("policies.toml");
        std::fs::write(&file, format!("{more}{POLICIES}")).unwrap();
        let process = Process::start_with(&tiers, &["--config", &file.display().to_string()], &[]).await;
        process.client.signup("user1").await;
        let token = process.client.login("user1").await;
        Self { process, http: reqwest::Client::new(), token, _tiers: tiers }
    }

    /// Asks about a request, as Traefik and Caddy do.
    fn ask(&self, method: &str, uri: &str) -> RequestBuilder {
        let request = self.http.get(format!("http://{}/authz/forward", self.process.address));
        request.header("x-forwarded-method", method).header("x-forwarded-uri", uri)
    }

    async fn status(&self, method: &str, uri: &str) -> u16 {
        self.ask(method, uri).bearer_auth(&self.token).send().await.unwrap().status().as_u16()
    }
}

fn remaining(response: &Response) -> Option<&str> {
    let told = response.headers().get("ratelimit")?.to_str().unwrap();
    told.split(";r=").nth(1)?.split(';').next()
}

async fn each_policy_does_what_it_says(tiers: Tiers) {
    let stage = Stage::set(tiers, "").await;
    // Addresses: each for itself, without a session, however the address is written.
    for (client, status) in [
        ("192.0.2.1", 200),
        ("::ffff:192.0.2.1", 200),
        ("192.0.2.1", 429),
        ("192.0.2.2", 200),
        ("2001:db8::1", 200),
    ] {
        let answer = stage.ask("GET", "/address/x").header("x-forwarded-for", client).send().await.unwrap();
        assert_eq!(answer.status(), status, "{client}");
        assert!(answer.headers().contains_key("ratelimit"));
        if status == 200 {
            assert_eq!(answer.headers()["x-tollbar-user"], "");
        }
    }
    // A header: decided before the session, and without it all are one.
    let key = |key: &str, token: &str| {
        stage.ask("GET", "/key/x").header("x-api-key", key).bearer_auth(token).send()
    };
    for (value, token, status) in [
        ("k1", stage.token.as_str(), 200),
        ("k1", "dead", 401),
        ("k1", stage.token.as_str(), 429),
        ("k1", "dead", 429),
        ("k2", stage.token.as_str(), 200),
    ] {
        assert_eq!(key(value, token).await.unwrap().status(), status, "{value} {token}");
    }
    for status in [200, 200, 429] {
        assert_eq!(stage.status("GET", "/key/x").await, status, "without the header");
    }
    // Paths: each for itself, and one path is one however it is spelt.
    for (path, status) in
        [("/path/7", 200), ("/path//%37?x=1", 200), ("/path/7/", 429), ("/path/8", 200), ("/path/7", 429)]
    {
        assert_eq!(stage.status("GET", path).await, status, "{path}");
    }
    // Costs: HEAD is as GET, and what no method of the policy is has none of its limits.
    for (method, left) in
        [("GET", Some("19998")), ("POST", Some("19993")), ("HEAD", Some("19991")), ("PUT", None)]
    {
        let answer = stage.ask(method, "/dear").bearer_auth(&stage.token).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), remaining(&answer)), (200, left), "{method}");
    }
    // A path that programs disagree on is refused, whatever the policies say.
    for path in ["/address/../dear", "//address/x", "/address//%2e%2e/x", "/address\\x", "/address/x#/../y"] {
        let answer = stage.ask("GET", path).bearer_auth(&stage.token).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["x-tollbar-reason"]),
            (403, &"forbidden".parse().unwrap())
        );
    }
    // A header that comes twice is none: those were used up above.
    let twice = stage.ask("GET", "/key/x").header("x-api-key", "k8").header("x-api-key", "k9");
    assert_eq!(twice.bearer_auth(&stage.token).send().await.unwrap().status(), 429);
    // Hosts.
    let host = |host: &str| {
        stage.ask("GET", "/anything").header("x-forwarded-host", host).bearer_auth(&stage.token).send()
    };
    for (name, status) in
        [("a.example.com", 200), ("b.EXAMPLE.com:8443", 429), ("example.org", 200), ("example.org", 200)]
    {
        assert_eq!(host(name).await.unwrap().status(), status, "{name}");
    }
    // A shadow denies nobody and tells the client of no limit; the log tells of what it would have done.
    for _ in 0..3 {
        let answer = stage.ask("GET", "/shadow").bearer_auth(&stage.token).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), remaining(&answer)), (200, None));
    }
    assert_eq!(stage.ask("GET", "/shadow").send().await.unwrap().status(), 401);
    stage.process.signal(nix::sys::signal::Signal::SIGTERM);
    let log = stage.process.end().await.1;
    let shadows = log.iter().filter(|line| line.contains("would have denied") && line.contains("\"user 1\""));
    assert_eq!(shadows.count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_policy_does_what_it_says_on_sqlite_and_memory() {
    each_policy_does_what_it_says(Tiers::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_policy_does_what_it_says_on_postgresql_and_redis() {
    each_policy_does_what_it_says(Tiers::new(true, true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_a_policy_goes_by_the_setting() {
    for (word, with, without) in [("session", 200, 401), ("deny", 403, 403), ("allow", 200, 200)] {
        let stage = Stage::set(Tiers::embedded(), &format!("[authz]\nunmatched = \"{word}\"\n")).await;
        assert_eq!(stage.status("GET", "/other").await, with, "{word}");
        assert_eq!(stage.ask("GET", "/other").send().await.unwrap().status(), without, "{word}");
        let own = stage.process.client.ping(&stage.token).await.0;
        assert_eq!(own, with, "/ping is such a request here");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_are_those_that_are_chosen() {
    for (word, names) in [
        ("draft-11", ["ratelimit-policy", "ratelimit"]),
        ("draft-03", ["ratelimit-limit", "ratelimit-remaining"]),
        ("x-ratelimit", ["x-ratelimit-limit", "x-ratelimit-remaining"]),
        ("off", ["", ""]),
    ] {
        let stage = Stage::set(Tiers::embedded(), &format!("headers = \"{word}\"\n")).await;
        let answer = stage.ask("GET", "/dear").bearer_auth(&stage.token).send().await.unwrap();
        let found: Vec<_> = answer
            .headers()
            .keys()
            .map(reqwest::header::HeaderName::as_str)
            .filter(|name| name.contains("ratelimit"))
            .collect();
        for name in names.iter().filter(|name| !name.is_empty()) {
            assert!(found.contains(name), "{word}: {found:?}");
        }
        assert_eq!(found.is_empty(), word == "off", "{word}: {found:?}");
    }
}
