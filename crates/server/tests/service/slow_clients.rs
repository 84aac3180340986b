//! Clients that take their time: each is cut within `server.client_timeout`, and no honest one is.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{support::Service, tiers::Tiers};

const LIMIT: Duration = Duration::from_secs(1);
const PING: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

/// Sends a byte each 50 ms until the server ends the connection; what it had said, and how many bytes it took.
async fn trickle(stream: &mut TcpStream, byte: u8) -> (String, u32) {
    let (mut read, mut write) = stream.split();
    let mut said = Vec::new();
    for sent in 0..100 {
        // The server may have closed already: reading tells.
        let _ = write.write_all(&[byte]).await;
        if timeout(Duration::from_millis(50), read.read_to_end(&mut said)).await.is_ok() {
            return (String::from_utf8(said).unwrap(), sent);
        }
    }
    panic!("a client that takes its time is never cut: {}", String::from_utf8_lossy(&said));
}

async fn service() -> (Tiers, Service) {
    let tiers = Tiers::embedded();
    let service = Service::start(&tiers, &[("TOLLBAR__SERVER__CLIENT_TIMEOUT", "1s")]).await;
    (tiers, service)
}

async fn exchange(stream: &mut TcpStream, request: &[u8]) -> String {
    stream.write_all(request).await.unwrap();
    let mut answer = vec![0; 4096];
    let length = timeout(LIMIT * 5, stream.read(&mut answer)).await.unwrap().unwrap();
    String::from_utf8(answer[..length].to_vec()).unwrap()
}

/// At most the limit, and the half second by which actix's cached clock may be late or early.
fn assert_in_time(sent: u32) {
    assert!((5..=32).contains(&sent), "cut after {} ms", sent * 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_first_head_is_answered_408() {
    let (_tiers, service) = service().await;
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nx: ").await.unwrap();
    let (said, sent) = trickle(&mut stream, b'a').await;
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert_in_time(sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_second_head_is_cut() {
    let (_tiers, service) = service().await;
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    assert!(exchange(&mut stream, PING).await.starts_with("HTTP/1.1 200"));
    let (said, sent) = trickle(&mut stream, b'a').await;
    assert_eq!(said, "");
    assert_in_time(sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_head_that_began_with_the_request_before_is_cut_as_early() {
    let (_tiers, service) = service().await;
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    let one_and_a_bit = [PING, b"GET /healthz HTTP/1.1\r\nx: "].concat();
    assert!(exchange(&mut stream, &one_and_a_bit).await.starts_with("HTTP/1.1 200"));
    sleep(LIMIT * 7 / 10).await;
    let (said, sent) = trickle(&mut stream, b'a').await;
    assert_eq!(said, "");
    assert!(sent <= 15, "its time runs from the answer, not from the next byte: {} ms", sent * 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_body_is_answered_408_and_cut() {
    let (_tiers, service) = service().await;
    for framing in ["content-length: 8000", "transfer-encoding: chunked"] {
        let mut stream = TcpStream::connect(service.address).await.unwrap();
        let head =
            format!("POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{framing}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        if framing.starts_with('t') {
            stream.write_all(b"1F40\r\n").await.unwrap();
        }
        let (said, sent) = trickle(&mut stream, b' ').await;
        assert!(said.starts_with("HTTP/1.1 408") && said.contains("connection: close"), "{said}");
        assert!(said.contains("The body took too long to arrive!"), "{said}");
        assert!(
            sent <= 40,
            "cut after {} ms, the half second in which the answer can be read included",
            sent * 50
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_body_that_nobody_reads_is_cut() {
    let (_tiers, service) = service().await;
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    let head = "POST /nowhere HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1F40\r\n";
    assert!(exchange(&mut stream, head.as_bytes()).await.starts_with("HTTP/1.1 404"));
    let (_, sent) = trickle(&mut stream, b' ').await;
    assert!(sent <= 32, "cut after {} ms", sent * 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let (_tiers, service) = service().await;
    let mut busy = TcpStream::connect(service.address).await.unwrap();
    let mut idle = TcpStream::connect(service.address).await.unwrap();
    assert!(exchange(&mut idle, PING).await.starts_with("HTTP/1.1 200"));
    for _ in 0..5 {
        // A head in two parts is no offence.
        busy.write_all(&PING[..10]).await.unwrap();
        sleep(Duration::from_millis(300)).await;
        assert!(exchange(&mut busy, &PING[10..]).await.starts_with("HTTP/1.1 200"));
    }
    let mut rest = Vec::new();
    timeout(Duration::from_millis(1), idle.read_to_end(&mut rest)).await.unwrap().unwrap();
    assert!(rest.is_empty());
}
