//! The binary on a PostgreSQL that it reaches through PgBouncer, or by TLS that it verifies, or both.

use nix::sys::signal::Signal;
use serde_json::json;
use tollbar_testkit::{Certificates, PrivatePgBouncer, PrivatePostgres};

use crate::{
    process::{Process, output},
    tiers::Tiers,
};

/// Serves signup, login and ping twice, the second time from what the first has left in the database.
async fn serves(variables: &[(&str, &str)]) {
    let tiers = Tiers::embedded();
    for start in ["first", "second"] {
        let process = Process::start(&tiers, variables).await;
        let client = &process.client;
        if start == "first" {
            client.signup("user1").await;
        }
        client.signup(start).await;
        for name in ["user1", start] {
            let token = client.login(name).await;
            assert_eq!(client.ping(&token).await, (200, json!({})), "{start}, {name}");
            assert_eq!(client.logout(&token).await.0, 204);
        }
        process.signal(Signal::SIGTERM);
        let (code, _, said) = process.end().await;
        assert_eq!((code, said.as_str()), (Some(0), ""));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_serves_through_pgbouncer_and_by_verified_tls() {
    let certificates = Certificates::new();
    let server = PrivatePostgres::options().tls(&certificates).start();
    let pooler = PrivatePgBouncer::options(&server.url()).pool(2).tls(&certificates).start();
    let ca = certificates.ca().display().to_string();
    let ca = ("TOLLBAR__DATABASE__CA_FILE", ca.as_str());
    let url = format!("{}?sslmode=verify-full", pooler.url());
    serves(&[("TOLLBAR__DATABASE__URL", &url), ("TOLLBAR__DATABASE__POOLER", "true"), ca]).await;
    assert!(!pooler.log().contains("prepared statement"), "{}", pooler.log());

    let other = PrivatePostgres::options().tls(&certificates).start();
    let direct = format!("{}?sslmode=verify-full", other.url());
    serves(&[("TOLLBAR__DATABASE__URL", &direct), ca]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_set_of_tls_and_cannot_be_done_stops_the_start_with_one_line() {
    for (url, ca, said) in [
        (
            "?sslmode=verify-all",
            "",
            "database: the database URL says sslmode=verify-all, which must be one of ",
        ),
        (
            "?sslmode=verify-full",
            "/no/such.pem",
            "database: ca_file /no/such.pem cannot be used: No such file",
        ),
        ("", "/no/such.pem", "database: ca_file needs sslmode=require, verify-ca or verify-full"),
    ] {
        let mut variables = Tiers::embedded().variables();
        let url = format!("postgres://me:hunter22@127.0.0.1:1/t{url}");
        variables.push(("TOLLBAR__DATABASE__URL".into(), url));
        variables.push(("TOLLBAR__DATABASE__CA_FILE".into(), ca.into()));
        let refused = output(&[], variables).await;
        let line = String::from_utf8(refused.stderr).unwrap();
        assert_eq!((refused.status.code(), line.lines().count()), (Some(1), 1), "{line}");
        assert!(line.starts_with(&format!("tollbar: {said}")) && !line.contains("hunter22"), "{line}");
    }
}
