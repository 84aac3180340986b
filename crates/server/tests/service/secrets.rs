//! No password, token or hash in a log at any level, and neither password nor token in a store.

use std::fs;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{process::Process, support::PASSWORD, tiers::Tiers};

const WRONG: &str = "a-wrong-p4ssword";
/// A password without its quotes.
const NUMBER: u64 = 918_273_645_918;

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Everything that a test's keys hold, whatever their type.
fn redis_contents(tiers: &Tiers) -> Vec<u8> {
    let Some(redis) = &tiers.redis else { return Vec::new() };
    let mut connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
    let pattern = format!("{}:*", redis.as_str());
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg(pattern).query(&mut connection).unwrap();
    assert!(!keys.is_empty());
    let mut contents = Vec::new();
    for key in keys {
        let kind: String = redis::cmd("TYPE").arg(&key).query(&mut connection).unwrap();
        let mut read = match kind.as_str() {
            "string" => redis::cmd("GET"),
            "hash" => redis::cmd("HGETALL"),
            "zset" => redis::cmd("ZRANGE"),
            "list" => redis::cmd("LRANGE"),
            other => panic!("a key of another type: {other}"),
        };
        read.arg(&key);
        if matches!(kind.as_str(), "zset" | "list") {
            read.arg(0).arg(-1);
        }
        contents.extend_from_slice(&key);
        let value: redis::Value = read.query(&mut connection).unwrap();
        gather(value, &mut contents);
    }
    contents
}

fn gather(value: redis::Value, contents: &mut Vec<u8>) {
    match value {
        redis::Value::BulkString(bytes) => contents.extend_from_slice(&bytes),
        redis::Value::Array(list) => list.into_iter().for_each(|value| gather(value, contents)),
        redis::Value::Map(pairs) => {
            for (key, value) in pairs {
                gather(key, contents);
                gather(value, contents);
            }
        }
        _ => {}
    }
}

async fn nothing_leaks(tiers: Tiers) {
    let process = Process::start(&tiers, &[("TOLLBAR__LOG__LEVEL", "trace")]).await;
    let client = &process.client;
    client.signup("user1").await;
    let token = client.login("user1").await;
    assert_eq!(client.ping(&token).await.0, 200);
    assert_eq!(client.ping(&token).await.0, 429);
    for body in [
        json!({"username": "user1", "password": WRONG}),
        json!({"username": "user9", "password": WRONG}),
        json!({"username": "user1", "password": [WRONG]}),
        json!({"username": "user1", "password": NUMBER}),
        json!({"username": "user1", "password": "x", WRONG: 1}),
        json!({"username": WRONG.to_owned() + " ", "password": "x"}),
        json!([WRONG]),
        json!(WRONG),
    ] {
        let (status, said) = client.post("/login", &body).await;
        let said = said.to_string();
        assert!([400, 401].contains(&status), "{said}");
        assert!(!said.contains(WRONG) && !said.contains(&NUMBER.to_string()), "{said}");
    }
    // Malformed bodies, and secrets where they do not belong.
    for request in [
        format!(
            "POST /signup HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{{\"{WRONG}",
            WRONG.len() + 2
        ),
        format!(
            "POST /signup?p={WRONG} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {WRONG}\r\n\r\n"
        ),
        format!(
            "GET /{WRONG}/{token} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-request-id: {WRONG}!\r\n\r\n"
        ),
        format!(
            "GET /ping HTTP/1.1\r\nhost: x\r\ncontent-length: {WRONG}\r\nauthorization: Bearer {token}\r\n\r\n"
        ),
        format!("GET /ping HTTP/1.1\r\nhost: x\r\ntransfer-encoding: {WRONG}\r\n\r\n"),
        format!("{WRONG} {token}\r\n\r\n"),
    ] {
        let mut stream = TcpStream::connect(process.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await.unwrap();
        assert!(said.starts_with(b"HTTP/1.1 4") && !contains(&said, WRONG.as_bytes()));
    }
    let bent = format!("{}{}{}", &token[..40], if &token[40..=40] == "A" { "B" } else { "A" }, &token[41..]);
    assert_eq!(client.ping(&bent).await.0, 401);
    assert_eq!(client.send(Method::GET, "/ping", Some(&format!("{token} {WRONG}"))).await.status(), 401);

    // Both stores, while the session is live.
    let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix("tbs_").unwrap()).unwrap();
    let secret = &bytes[16..48];
    let mut stores = redis_contents(&tiers);
    for entry in fs::read_dir(tiers.folder.path()).unwrap() {
        stores.extend(fs::read(entry.unwrap().path()).unwrap());
    }
    let hex = secret.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    for clear in [PASSWORD.as_bytes(), token.as_bytes(), &token.as_bytes()[30..60], secret, hex.as_bytes()] {
        assert!(!contains(&stores, clear));
    }
    if tiers.database.is_none() {
        assert!(
            contains(&stores, b"$2b$04$") && contains(&stores, b"user1"),
            "it was looked at the right files"
        );
    }

    assert_eq!(client.logout(&token).await.0, 204);
    process.signal(Signal::SIGTERM);
    let (_, log, said) = process.end().await;
    let log = log.join("\n") + said.as_str();
    assert!(log.contains("\"level\":\"DEBUG\""), "it logs at the least level");
    for secret in [PASSWORD, WRONG, &token, &token[30..60], &bent, &hex, &NUMBER.to_string(), "$2b$"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_and_memory() {
    nothing_leaks(Tiers::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgresql_and_redis() {
    nothing_leaks(Tiers::new(true, true)).await;
}
