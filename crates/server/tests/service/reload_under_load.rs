//! A hundred thousand requests while policies are exchanged fifty times: each is decided by one of the two lists, whole.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use nix::sys::signal::Signal;
use reqwest::Method;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::sleep,
};

use crate::{process::Process, tiers::Tiers};

const REQUESTS: usize = 100_000;
const RELOADS: usize = 50;
const CONNECTIONS: usize = 4;
const PIPELINED: usize = 50;

/// Admits all; the other admits one call an hour, and its state outlives every exchange.
const WIDE: &str = "[[policies]]\nname = \"wide\"\npath = \"/ping\"\nalgorithm = \"gcra\"\n\
    windows = [{ name = \"wide\", quota = 1000000000, period = \"1h\" }]\n";
const NARROW: &str = "[[policies]]\nname = \"narrow\"\npath = \"/ping\"\nwindows = [{ name = \"narrow\", quota = 1, period = \"1h\" }]\n";

/// What became of the requests of one connection.
#[derive(Default)]
struct Sums {
    wide: usize,
    narrow_admitted: usize,
    narrow_denied: usize,
}

/// Sends until all are sent.
async fn load(address: SocketAddr, token: String, sent: Arc<AtomicUsize>) -> Sums {
    let (reader, mut writer) = TcpStream::connect(address).await.unwrap().into_split();
    let mut reader = BufReader::new(reader);
    let request =
        format!("GET /ping HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {token}\r\n\r\n").repeat(PIPELINED);
    let mut sums = Sums::default();
    while sent.fetch_add(PIPELINED, Ordering::SeqCst) < REQUESTS {
        writer.write_all(request.as_bytes()).await.unwrap();
        for _ in 0..PIPELINED {
            let (status, headers, body) = answer(&mut reader).await;
            match (status, headers.contains("\"wide\";q="), headers.contains("\"narrow\";q=")) {
                (200, true, false) => sums.wide += 1,
                (200, false, true) => sums.narrow_admitted += 1,
                (429, false, true) => {
                    assert!(headers.contains("ratelimit: \"narrow\";r=0;t="), "{headers}");
                    assert!(body.contains("\"violated-policies\":[\"narrow\"]"), "{body}");
                    sums.narrow_denied += 1;
                }
                _ => panic!("an answer by neither list, or by both: {status} {headers} {body}"),
            }
        }
    }
    sums
}

async fn answer(reader: &mut (impl AsyncBufReadExt + Unpin)) -> (u16, String, String) {
    let (mut headers, mut length) = (String::new(), 0);
    loop {
        let from = headers.len();
        assert_ne!(reader.read_line(&mut headers).await.unwrap(), 0, "the connection was closed: {headers}");
        let line = &headers[from..];
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.unwrap();
    let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
    (status, headers, String::from_utf8(body).unwrap())
}

async fn every_answer_is_by_one_list(tiers: Tiers) {
    let file = tiers.folder.path().join("policies.toml");
    std::fs::write(&file, WIDE).unwrap();
    let settings = [("TOLLBAR__PING__DELAY", "0s")];
    let process = Process::start_with(&tiers, &["--config", &file.display().to_string()], &settings).await;
    let client = &process.client;
    client.signup("user1").await;
    let token = client.login("user1").await;
    let sent = Arc::new(AtomicUsize::new(0));
    let loads = (0..CONNECTIONS).map(|_| tokio::spawn(load(process.address, token.clone(), sent.clone())));
    let loads: Vec<_> = loads.collect();
    let mut probes = Sums::default();
    for reload in 1..=RELOADS {
        // As many requests between one exchange and the next: each list has its share of them.
        while sent.load(Ordering::SeqCst) < reload * (REQUESTS / (RELOADS + 1)) {
            sleep(Duration::from_millis(1)).await;
        }
        let (text, name) = if reload % 2 == 1 { (NARROW, "\"narrow\"") } else { (WIDE, "\"wide\"") };
        std::fs::write(&file, text).unwrap();
        process.signal(Signal::SIGHUP);
        loop {
            let probe = client.send(Method::GET, "/ping", Some(&token)).await;
            let told = probe.headers()["ratelimit-policy"].to_str().unwrap().to_owned();
            match (probe.status().as_u16(), told.starts_with("\"wide\"")) {
                (200, true) => probes.wide += 1,
                (200, false) => probes.narrow_admitted += 1,
                (429, false) => probes.narrow_denied += 1,
                (status, _) => panic!("{status} {told}"),
            }
            if told.starts_with(name) {
                break;
            }
        }
    }
    let mut sums = probes;
    for load in loads {
        let of_one = load.await.unwrap();
        sums.wide += of_one.wide;
        sums.narrow_admitted += of_one.narrow_admitted;
        sums.narrow_denied += of_one.narrow_denied;
    }
    assert!(sums.wide + sums.narrow_admitted + sums.narrow_denied >= REQUESTS);
    assert_eq!(sums.narrow_admitted, 1, "its state is kept over all exchanges");
    assert!(
        sums.wide > REQUESTS / 4 && sums.narrow_denied > REQUESTS / 4,
        "{} and {}",
        sums.wide,
        sums.narrow_denied
    );
    // The last list is the wide one, whose calls have all been counted.
    let top = client.get("/top").await.1;
    assert_eq!(top["top"], serde_json::json!([{"userId": 1, "calls": sums.wide}]));
    process.signal(Signal::SIGTERM);
    let log = process.end().await.1;
    assert!(log.iter().filter(|line| line.contains("the policies were exchanged")).count() >= RELOADS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_by_one_list_on_sqlite_and_memory() {
    every_answer_is_by_one_list(Tiers::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_is_by_one_list_on_postgresql_and_redis() {
    every_answer_is_by_one_list(Tiers::new(true, true)).await;
}
