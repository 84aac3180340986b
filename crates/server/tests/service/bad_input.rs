//! What a client may get wrong on the wire: exact statuses, and never a 500.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    support::{Service, account},
    tiers::Tiers,
};

async fn exchange(service: &Service, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    // The server may refuse and close before all of it is sent.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut said = Vec::new();
    let _ = timeout(Duration::from_secs(5), stream.read_to_end(&mut said)).await.unwrap();
    String::from_utf8_lossy(&said).into_owned()
}

fn post(path: &str, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mistake_has_its_status() {
    let tiers = Tiers::embedded();
    let service = Service::start(&tiers, &[]).await;
    service.client.signup("user1").await;
    let json = "application/json";
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").into_bytes();
    let user1 = account("user1").to_string();
    let chunked = format!(
        "POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: {json}\r\ntransfer-encoding: chunked\r\n\r\n{}0\r\n\r\n",
        format!("400\r\n{}\r\n", " ".repeat(1024)).repeat(9)
    );
    let head = |line: &str| format!("GET /ping HTTP/1.1\r\nhost: x\r\n{line}\r\n\r\n").into_bytes();
    for (status, what, bytes) in [
        (200, "a good login", post("/login", json, &user1)),
        (400, "a taken name", post("/signup", json, &user1)),
        (401, "an unknown user", post("/login", json, &account("user9").to_string())),
        (400, "an empty body", post("/login", json, "")),
        (400, "no JSON", post("/login", json, "username=user1")),
        (400, "a NUL", post("/signup", json, r#"{"username":"user2","password":"pass\u0000word"}"#)),
        (400, "half a surrogate", post("/signup", json, r#"{"username":"user2","password":"\ud800"}"#)),
        (400, "a bad name", post("/signup", json, r#"{"username":"user 2","password":"password"}"#)),
        (400, "a huge number", post("/signup", json, r#"{"username":1e999,"password":"password"}"#)),
        (413, "a large body", post("/login", json, &" ".repeat(8193))),
        (413, "a large body in chunks", chunked.into_bytes()),
        (415, "no JSON by its type", post("/login", "text/plain", &user1)),
        (404, "an unknown path", get("/nowhere")),
        (404, "a path of bytes", get("/%ff%00%2e%2e/%")),
        (404, "a long path", get(&format!("/{}", "a".repeat(60_000)))),
        (405, "a wrong method", get("/signup")),
        (405, "an unknown method", b"BREW /ping HTTP/1.1\r\nhost: x\r\n\r\n".to_vec()),
        (404, "a target that is no path", b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n".to_vec()),
        (401, "no credential", get("/ping?a=%ff&b")),
        (401, "another scheme", head("authorization: Basic dXNlcjpwYXNz")),
        (401, "a long credential", head(&format!("authorization: Bearer {}", "a".repeat(30_000)))),
        (401, "two credentials", head("authorization: Bearer a\r\nauthorization: Bearer b")),
        (
            401,
            "bytes for a credential",
            b"GET /ping HTTP/1.1\r\nhost: x\r\nauthorization: Bearer \xff\xfe\r\n\r\n".to_vec(),
        ),
        (431, "a huge head", head(&format!("x: {}", "a".repeat(200_000)))),
        (400, "no HTTP", b"hello\r\n\r\n".to_vec()),
        (400, "two lengths", head("content-length: 1\r\ncontent-length: 2")),
        (400, "a negative length", head("content-length: -1")),
        (400, "a length and chunks", head("content-length: 1\r\ntransfer-encoding: chunked")),
    ] {
        let said = exchange(&service, &bytes).await;
        assert_eq!(said.get(9..12), Some(status.to_string().as_str()), "{what}: {said}");
        let routed = status != 431 && what != "no HTTP" && !what.contains("length");
        if status >= 400 && routed {
            assert!(said.contains("content-type: application/problem+json"), "{what}: {said}");
            assert!(said.contains("\"error\":\"") && said.contains("x-request-id: "), "{what}: {said}");
        }
        assert_eq!(status == 405, said.contains("\r\nallow: "), "{what}: {said}");
    }
    service.stop().await.unwrap();
}
