//! The proxy's ways to fail, in front of an echo server that counts what reaches it.
#![expect(clippy::unwrap_used, reason = "helpers of tests, where an unwrap is a failed test")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tollbar_testkit::Proxy;

const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(5);

/// An echo server that runs until the test process ends.
fn echo() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let received = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&received);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, counter) = (stream.unwrap(), Arc::clone(&counter));
            thread::spawn(move || {
                let mut buffer = [0; 1024];
                while let Ok(length @ 1..) = stream.read(&mut buffer) {
                    counter.fetch_add(length, Ordering::SeqCst);
                    let _ = stream.write_all(&buffer[..length]);
                }
            });
        }
    });
    (address, received)
}

fn ask(stream: &mut TcpStream, limit: Duration) -> Result<[u8; 2], ErrorKind> {
    stream.set_read_timeout(Some(limit)).unwrap();
    let mut answer = [0; 2];
    stream.write_all(b"hi").and_then(|()| stream.read_exact(&mut answer)).map_err(|error| error.kind())?;
    Ok(answer)
}

fn hears(stream: &mut TcpStream) -> [u8; 2] {
    stream.set_read_timeout(Some(LONG)).unwrap();
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).unwrap();
    answer
}

#[test]
fn it_passes_both_ways_and_the_end() {
    let proxy = Proxy::to(echo().0);
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    assert_eq!(ask(&mut stream, LONG), Ok(*b"hi"));
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn it_passes_much_without_loss() {
    let proxy = Proxy::to(echo().0);
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    let sent: Vec<u8> = (0..3_000_000_u32).map(|i| i.to_le_bytes()[0]).collect();
    let mut writer = stream.try_clone().unwrap();
    let copy = sent.clone();
    let write = thread::spawn(move || writer.write_all(&copy).unwrap());
    let mut received = vec![0; sent.len()];
    stream.read_exact(&mut received).unwrap();
    write.join().unwrap();
    assert!(sent == received);
}

#[test]
fn it_refuses_resets_and_opens_again() {
    let proxy = Proxy::to(echo().0);
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    assert_eq!(ask(&mut stream, LONG), Ok(*b"hi"));
    for _ in 0..3 {
        proxy.refuse();
        proxy.refuse();
        let reset = ask(&mut stream, LONG).unwrap_err();
        assert!(matches!(reset, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{reset:?}");
        let refused = TcpStream::connect(proxy.address()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        proxy.pass();
        stream = TcpStream::connect(proxy.address()).unwrap();
        assert_eq!(ask(&mut stream, LONG), Ok(*b"hi"));
    }
}

#[test]
fn it_swallows_and_delivers_when_healed() {
    let (target, received) = echo();
    let proxy = Proxy::to(target);
    let mut before = TcpStream::connect(proxy.address()).unwrap();
    assert_eq!(ask(&mut before, LONG), Ok(*b"hi"));
    proxy.blackhole();
    let mut during = TcpStream::connect(proxy.address()).unwrap();
    assert!(ask(&mut before, SHORT).is_err());
    assert!(ask(&mut during, SHORT).is_err());
    assert_eq!(received.load(Ordering::SeqCst), 2);
    proxy.pass();
    assert_eq!(hears(&mut before), *b"hi");
    assert_eq!(hears(&mut during), *b"hi");
}

#[test]
fn it_holds_answers_to_what_was_done() {
    let (target, received) = echo();
    let proxy = Proxy::to(target);
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    proxy.hold_answers();
    assert!(ask(&mut stream, SHORT).is_err());
    assert_eq!(received.load(Ordering::SeqCst), 2);
    proxy.pass();
    assert_eq!(hears(&mut stream), *b"hi");
}

#[test]
fn it_delays_each_way() {
    let proxy = Proxy::to(echo().0);
    proxy.delay(SHORT, SHORT);
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    assert!(ask(&mut stream, SHORT + SHORT / 2).is_err());
    assert_eq!(hears(&mut stream), *b"hi");
}

#[test]
fn a_target_that_is_down_is_a_reset() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::to(nobody);
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    assert!(ask(&mut stream, LONG).is_err());
}

#[tokio::test]
async fn it_serves_a_test_that_blocks_its_runtime() {
    let proxy = Proxy::to(echo().0);
    assert_eq!(ask(&mut TcpStream::connect(proxy.address()).unwrap(), LONG), Ok(*b"hi"));
}

#[test]
fn its_port_is_free_after_the_drop() {
    let proxy = Proxy::to(echo().0);
    let address = proxy.address();
    drop(proxy);
    TcpListener::bind(address).unwrap();
}
