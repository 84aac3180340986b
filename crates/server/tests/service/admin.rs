//! `/admin/v1`: for operators alone, and for no page of another site.

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::{process::Process, tiers::Tiers};

const BIND: (&str, &str) = ("TOLLBAR__ADMIN__BIND", "127.0.0.1:0");
const HOSTS: (&str, &str) = ("TOLLBAR__ADMIN__HOSTS", "tollbar-0, Tollbar-1");

/// Makes a request look as if a page had sent it.
type Bend = fn(RequestBuilder) -> RequestBuilder;

const READS: [&str; 4] =
    ["/admin/v1/about", "/admin/v1/top", "/admin/v1/user?user=ada", "/admin/v1/user/sessions?user=ada"];

fn changes() -> [(&'static str, Value); 2] {
    let whose = json!({"whose": {"user": "ada"}});
    [("/admin/v1/user/logout", json!({"user": "ada"})), ("/admin/v1/limits/reset", whose)]
}

async fn sentence(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    (status, body["error"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_of_another_site_and_no_client_can_ask() {
    let tiers = Tiers::embedded();
    let process = Process::start(&tiers, &[BIND, HOSTS]).await;
    process.client.signup("ada").await;
    let token = process.client.login("ada").await;
    let http = reqwest::Client::new();
    let (own, public) = (process.operators.unwrap(), process.address);
    let get = |path: &str| http.get(format!("http://{own}{path}"));
    let post = |path: &str, body: &Value| http.post(format!("http://{own}{path}")).json(body);
    let bends: [(&str, Bend); 5] = [
        ("rebound", |request| request.header("host", "evil.example")),
        ("cross-site", |request| request.header("sec-fetch-site", "cross-site")),
        ("same-site", |request| request.header("sec-fetch-site", "same-site")),
        ("origin", |request| request.header("origin", "http://evil.example")),
        ("opaque", |request| request.header("origin", "null")),
    ];
    for (name, bend) in bends {
        let reads = READS.map(|path| bend(get(path)));
        let requests = reads.into_iter().chain(changes().map(|(path, body)| bend(post(path, &body))));
        for request in requests {
            let answer = request.send().await.unwrap();
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
            let (status, said) = sentence(answer).await;
            assert_eq!(status, 403, "{name}: {said}");
        }
    }
    // A form, which a browser sends anywhere without asking first.
    for (path, body) in changes() {
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
            let request =
                http.post(format!("http://{own}{path}")).header("content-type", kind).body(body.to_string());
            assert_eq!(sentence(request.send().await.unwrap()).await.0, 415, "{path} {kind}");
        }
        for method in [Method::GET, Method::PUT, Method::OPTIONS] {
            let asked = http.request(method, format!("http://{own}{path}")).send().await.unwrap();
            assert!([404, 405].contains(&asked.status().as_u16()), "{path}");
            assert!(!asked.headers().contains_key("access-control-allow-origin"));
        }
        // The public listener has no such path.
        let asked = http.post(format!("http://{public}{path}")).json(&body).send().await.unwrap();
        assert_eq!(asked.status(), 404);
    }
    for path in READS {
        assert_eq!(http.get(format!("http://{public}{path}")).send().await.unwrap().status(), 404, "{path}");
        for host in ["localhost:9090", "tollbar-1", "TOLLBAR-0:9090"] {
            assert_eq!(get(path).header("host", host).send().await.unwrap().status(), 200, "{path} {host}");
        }
    }
    assert_eq!(process.client.ping(&token).await.0, 200, "nothing of it was done");
    let [(path, body), _] = changes();
    let done = post(path, &body).send().await.unwrap();
    assert_eq!(
        (done.status().as_u16(), &done.headers()["cache-control"]),
        (200, &"no-store".parse().unwrap())
    );
    assert_eq!(process.client.ping(&token).await.0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_no_sense_is_said() {
    let process = Process::start(&Tiers::embedded(), &[BIND]).await;
    let (http, own) = (reqwest::Client::new(), process.operators.unwrap());
    for (path, status) in [
        ("/admin/v1/top?window=2d", 400),
        ("/admin/v1/top?limit=0", 400),
        ("/admin/v1/top?limit=x", 400),
        ("/admin/v1/top?nonsense=1", 400),
        ("/admin/v1/top?api=%2F", 400),
        ("/admin/v1/top?api=other", 404),
        ("/admin/v1/user", 400),
        ("/admin/v1/user?user=a%2Fb", 400),
        ("/admin/v1/user?user=nobody", 404),
        ("/admin/v1/nonsense", 404),
        ("/admin", 404),
    ] {
        let (found, said) = sentence(http.get(format!("http://{own}{path}")).send().await.unwrap()).await;
        assert_eq!(found, status, "{path}: {said}");
        assert!(said.ends_with('!'), "{said}");
    }
    for (path, body, status) in [
        ("user/logout", json!({}), 400),
        ("user/logout", json!({"user": "a/b"}), 400),
        ("user/logout", json!({"user": "nobody"}), 404),
        ("user/logout", json!({"user": "nobody", "more": 1}), 400),
        ("limits/reset", json!({"whose": {"address": "x"}}), 400),
        ("limits/reset", json!({"whose": {"address": "192.0.2.1"}, "policy": "other"}), 404),
        ("limits/peek", json!({"whose": {"user": "ada"}, "policy": {}}), 400),
    ] {
        let asked = http.post(format!("http://{own}/admin/v1/{path}")).json(&body).send().await.unwrap();
        let (found, said) = sentence(asked).await;
        assert_eq!(found, status, "{path} {body}: {said}");
    }
}
