//! TLS: servers that somebody vouches for are believed, and no others.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod common;

use std::{path::PathBuf, time::Duration};

use common::{api, epoch, options, up_within, user, with_sentinel_password};
use tokio::time::{sleep, timeout};
use tollbar_core::ports::CallTracker;
use tollbar_redis::{RedisLive, RedisOptions, RedisOptionsError, TlsError};
use tollbar_testkit::{Certificates, PrivateCluster, PrivateRedis, PrivateSentinels};

async fn trusting(url: &str, ca: PathBuf) -> RedisLive {
    RedisLive::connect(RedisOptions { ca_file: Some(ca), ..options(url, "tb") }).await.unwrap()
}

async fn serves(live: &RedisLive) {
    up_within(Duration::from_secs(2), live).await;
    for id in 1..=16 {
        live.record(&api(), user(id), epoch()).await.unwrap();
    }
    live.shutdown().await;
}

/// Whoever is refused hears so at once, and again and again.
async fn is_refused(live: RedisLive) {
    for _ in 0..3 {
        let refused = timeout(Duration::from_millis(50), live.record(&api(), user(1), epoch())).await;
        let error = refused.expect("at once").unwrap_err();
        assert!(error.is_transient(), "{error:?}");
        sleep(Duration::from_millis(300)).await;
    }
    live.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_deployment_is_reached_by_tls() {
    let certificates = Certificates::new();
    let server = PrivateRedis::options().tls(&certificates).start();
    serves(&trusting(&server.tls_url(), certificates.ca()).await).await;
    let by_name = server.tls_url().replace("127.0.0.1", "localhost");
    serves(&trusting(&by_name, certificates.ca()).await).await;
    let cluster = PrivateCluster::options().tls(&certificates).start();
    serves(&trusting(&cluster.url(), certificates.ca()).await).await;
    let sentinels = PrivateSentinels::options().tls(&certificates).start();
    serves(&trusting(&with_sentinel_password(&sentinels.url()), certificates.ca()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_nobody_vouches_for_is_refused() {
    let certificates = Certificates::new();
    let server = PrivateRedis::options().tls(&certificates).start();
    is_refused(trusting(&server.tls_url(), certificates.other_ca()).await).await;
    // The system vouches for it just as little, if it vouches for anybody.
    match RedisLive::connect(options(&server.tls_url(), "tb")).await {
        Ok(live) => is_refused(live).await,
        Err(error) => assert!(matches!(error, RedisOptionsError::Tls(TlsError::NoRoots)), "{error}"),
    }
    let plain = server.url().replace("redis://", "rediss://");
    is_refused(trusting(&plain, certificates.ca()).await).await;
    let misnamed = PrivateRedis::options().tls_as(&certificates, certificates.other_name()).start();
    is_refused(trusting(&misnamed.tls_url(), certificates.ca()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_may_ask_who_we_are() {
    let certificates = Certificates::new();
    let server = PrivateRedis::options().tls(&certificates).config("tls-auth-clients", "yes").start();
    is_refused(trusting(&server.tls_url(), certificates.ca()).await).await;
    let as_whom = |own: tollbar_testkit::CertificateFiles| RedisOptions {
        ca_file: Some(certificates.ca()),
        cert_file: Some(own.certificate),
        key_file: Some(own.key),
        ..options(&server.tls_url(), "tb")
    };
    serves(&RedisLive::connect(as_whom(certificates.client())).await.unwrap()).await;
    is_refused(RedisLive::connect(as_whom(certificates.stranger())).await.unwrap()).await;
    let mixed = RedisOptions { key_file: Some(certificates.server().key), ..as_whom(certificates.client()) };
    let error = RedisLive::connect(mixed).await.map(drop).unwrap_err();
    assert!(error.to_string().starts_with("redis cert_file and key_file: "), "{error}");
}
