//! Every line that a request logs bears its id.

use nix::sys::signal::Signal;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{process::Process, tiers::Tiers};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_requests_lines_bear_its_id() {
    let tiers = Tiers::embedded();
    let process = Process::start(&tiers, &[("TOLLBAR__LOG__LEVEL", "debug")]).await;
    let mut stream = TcpStream::connect(process.address).await.unwrap();
    let request = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-request-id: walk-7.a\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert!(said.contains("x-request-id: walk-7.a\r\n"), "{said}");
    process.signal(Signal::SIGTERM);
    let (_, log, _) = process.end().await;
    let answered: Vec<&String> = log.iter().filter(|line| line.contains("\"answered\"")).collect();
    assert_eq!(answered.len(), 1, "{log:?}");
    assert!(answered[0].contains("walk-7.a") && answered[0].contains("/healthz"), "{}", answered[0]);
}
