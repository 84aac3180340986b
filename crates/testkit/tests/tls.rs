//! Private servers that speak TLS, and clients that refuse what is not theirs.
#![expect(clippy::unwrap_used, reason = "helpers of tests, where an unwrap is a failed test")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use support::{client, over, say, tcp};
use tollbar_testkit::{CertificateFiles, Certificates, PrivatePgBouncer, PrivatePostgres, PrivateRedis};

#[test]
fn redis_speaks_tls_to_those_who_know_its_authority() {
    let certificates = Certificates::new();
    let server = PrivateRedis::options().tls(&certificates).start();
    let port = server.tls_port();
    for name in ["127.0.0.1", "localhost"] {
        let mut stream = over(tcp(port), client(&certificates.ca(), None), name).unwrap();
        assert!(say(&mut stream, b"PING\r\n").unwrap().starts_with("-NOAUTH"));
    }
    assert!(server.tls_url().starts_with("rediss://:") && server.tls_url().contains(&port.to_string()));

    let stranger = over(tcp(port), client(&certificates.other_ca(), None), "localhost").unwrap_err();
    assert!(stranger.to_string().contains("UnknownIssuer"), "{stranger}");
    let misnamed = over(tcp(port), client(&certificates.ca(), None), "elsewhere.test").unwrap_err();
    assert!(misnamed.to_string().contains("not valid for name"), "{misnamed}");
    // The plain port goes on.
    server.run(&["PING"]);
}

#[test]
fn redis_may_bear_another_name() {
    let certificates = Certificates::new();
    let server = PrivateRedis::options().tls_as(&certificates, certificates.other_name()).start();
    over(tcp(server.tls_port()), client(&certificates.ca(), None), "elsewhere.test").unwrap();
    assert!(over(tcp(server.tls_port()), client(&certificates.ca(), None), "localhost").is_err());
}

#[test]
fn redis_may_ask_for_a_certificate() {
    let certificates = Certificates::new();
    let server = PrivateRedis::options().tls(&certificates).config("tls-auth-clients", "yes").start();
    let answer = |own: Option<CertificateFiles>| {
        let mut stream = over(tcp(server.tls_port()), client(&certificates.ca(), own.as_ref()), "localhost")?;
        say(&mut stream, b"PING\r\n")
    };
    assert!(answer(Some(certificates.client())).unwrap().starts_with("-NOAUTH"));
    // With TLS 1.3 a client hears only afterwards that it is not let in.
    let refused = |own| answer(own).map_or(true, |answer| answer.is_empty());
    assert!(refused(Some(certificates.stranger())));
    assert!(refused(None));
}

#[test]
fn the_files_go_with_the_last_clone() {
    let certificates = Certificates::new();
    let server = PrivateRedis::options().tls(&certificates).start();
    let ca = certificates.ca();
    drop(certificates);
    assert!(ca.exists());
    drop(server);
    assert!(!ca.exists());
}

/// A connection on which PostgreSQL, or PgBouncer, has agreed to speak TLS.
fn postgres_tcp(port: u16) -> TcpStream {
    let mut tcp = tcp(port);
    // Length and code of the request for it.
    tcp.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).unwrap();
    let mut answer = [0];
    tcp.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"S");
    tcp
}

#[test]
fn postgres_and_its_pooler_speak_tls() {
    let certificates = Certificates::new();
    let server = PrivatePostgres::options().tls(&certificates).start();
    let pooler = PrivatePgBouncer::options(&server.url()).tls(&certificates).start();
    let pooler = tollbar_testkit::address_of(&pooler.url()).port();
    for port in [server.port(), pooler] {
        over(postgres_tcp(port), client(&certificates.ca(), None), "localhost").unwrap();
        let stranger = over(postgres_tcp(port), client(&certificates.other_ca(), None), "localhost");
        assert!(stranger.unwrap_err().to_string().contains("UnknownIssuer"));
    }
}
