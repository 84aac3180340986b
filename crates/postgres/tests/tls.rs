//! TLS as `sslmode` says: what is taken, what is refused, and the one line that says so.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod support;

use std::{error::Error, path::PathBuf};

use support::{client, user};
use tollbar_postgres::{OpenError, PgOptions, PgStore};
use tollbar_testkit::{CertificateFiles, Certificates, PrivatePostgres, TestDatabase, postgres_url};

fn options(server: &PrivatePostgres, mode: &str, ca_file: Option<PathBuf>) -> PgOptions {
    PgOptions { ca_file, ..PgOptions::new(format!("{}?sslmode={mode}", server.url())) }
}

fn known_by(options: PgOptions, files: CertificateFiles) -> PgOptions {
    PgOptions { cert_file: Some(files.certificate), key_file: Some(files.key), ..options }
}

/// The one line of a refusal.
async fn refusal(options: PgOptions) -> String {
    let error = PgStore::open(options).await.unwrap_err();
    let (mut line, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    assert!(!line.contains('\n'), "{line}");
    line
}

/// Whether all connections of stores are encrypted; there is one at least.
async fn encrypted(server: &PrivatePostgres) -> bool {
    let query = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                 WHERE application_name = 'tollbar'";
    client(&server.url()).await.query_one(query, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_server_is_verified_as_far_as_the_mode_says() {
    let certificates = Certificates::new();
    let server = PrivatePostgres::options().tls_as(&certificates, certificates.other_name()).start();
    let (ca, other_ca) = (Some(certificates.ca()), Some(certificates.other_ca()));
    let taken = [("prefer", None), ("require", None), ("require", ca.clone()), ("verify-ca", ca.clone())];
    for (number, (mode, ca)) in taken.into_iter().enumerate() {
        let store = PgStore::open(options(&server, mode, ca)).await.unwrap();
        user(&store, &format!("ada{number}")).await;
        assert!(encrypted(&server).await, "{mode}");
    }
    for mode in ["require", "verify-ca", "verify-full"] {
        let line = refusal(options(&server, mode, other_ca.clone())).await;
        assert!(line.contains("UnknownIssuer"), "{mode}: {line}");
    }
    let line = refusal(options(&server, "verify-full", ca)).await;
    assert!(line.contains("not valid for name"), "{line}");
    // No CA of the system knows it, if the system has any.
    for mode in ["verify-ca", "verify-full"] {
        let line = refusal(options(&server, mode, None)).await;
        assert!(line.contains("UnknownIssuer") || line.contains("trusts no certificate"), "{line}");
    }
    let store = PgStore::open(options(&server, "disable", None)).await.unwrap();
    user(&store, "disable").await;
    assert!(!encrypted(&server).await);
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_tls_is_required() {
    for mode in ["require", "verify-ca", "verify-full"] {
        let certificates = Certificates::new();
        let url = format!("{}?sslmode={mode}", postgres_url());
        let line = refusal(PgOptions { ca_file: Some(certificates.ca()), ..PgOptions::new(url) }).await;
        assert!(line.contains("server does not support TLS"), "{mode}: {line}");
    }
    let database = TestDatabase::create();
    PgStore::open(PgOptions::new(database.url())).await.unwrap();
}

#[tokio::test]
async fn a_server_may_ask_for_a_certificate() {
    let certificates = Certificates::new();
    let hba = "hostssl all all 127.0.0.1/32 password clientcert=verify-full";
    let server = PrivatePostgres::options().tls(&certificates).hba(hba).start();
    let full = || options(&server, "verify-full", Some(certificates.ca()));
    let store = PgStore::open(known_by(full(), certificates.client())).await.unwrap();
    user(&store, "ada").await;
    let line = refusal(full()).await;
    assert!(line.contains("requires a valid client certificate"), "{line}");
    refusal(known_by(full(), certificates.stranger())).await;
    let line = refusal(options(&server, "disable", None)).await;
    assert!(line.contains("no encryption"), "{line}");
}

#[tokio::test]
async fn a_wish_that_cannot_be_met_stops_the_start() {
    let certificates = Certificates::new();
    let base = |mode: &str| PgOptions::new(format!("postgres://me:hunter22@127.0.0.1:1/t?sslmode={mode}"));
    let ca = |mode: &str, file: PathBuf| PgOptions { ca_file: Some(file), ..base(mode) };
    let files = certificates.client();
    let key = certificates.client().key;
    for (options, said) in [
        (base("allow"), "sslmode=allow, which must be one of disable, prefer,"),
        (ca("prefer", certificates.ca()), "ca_file needs sslmode=require, verify-ca or verify-full"),
        (known_by(base("disable"), certificates.client()), "cert_file needs sslmode=require,"),
        (ca("verify-full", "/no/such.pem".into()), "ca_file /no/such.pem cannot be used: No such file"),
        (ca("verify-ca", key.clone()), "holds no certificate"),
        (PgOptions { cert_file: Some(files.certificate.clone()), ..base("require") }, "need each other"),
        (
            known_by(base("require"), CertificateFiles { key: files.certificate.clone(), ..files.clone() }),
            "key_file",
        ),
        (
            known_by(base("require"), CertificateFiles { key: certificates.server().key, ..files }),
            "cannot be used",
        ),
    ] {
        let error = PgStore::open(options.clone()).await.unwrap_err();
        assert!(matches!(error, OpenError::Tls(..)), "{said}: {error:?}");
        let line = refusal(options).await;
        assert!(line.contains(said) && !line.contains("hunter22"), "{line}");
    }
}
