//! Which processes may share a database.

use nix::sys::signal::Signal;

use crate::{
    process::{Process, output},
    support::Service,
    tiers::Tiers,
};

async fn alone(tiers: Tiers) {
    let first = Process::start(&tiers, &[]).await;
    let second = output(&[], tiers.variables()).await;
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    let line = "tollbar: another process uses this database, and without one Redis for both only one may\n";
    assert_eq!(said, line);

    // What was killed is not waited for longer than its claim.
    first.signal(Signal::SIGKILL);
    first.end().await;
    let third = Process::start(&tiers, &[]).await;
    third.signal(Signal::SIGTERM);
    assert_eq!(third.end().await.0, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_with_memory_on_one_sqlite_file_is_refused() {
    alone(Tiers::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_with_memory_on_one_postgresql_database_is_refused() {
    alone(Tiers::new(true, false)).await;
}

/// As where a machine sleeps: the other process could not know that this one is not dead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_lost_its_claim_ends() {
    let tiers = Tiers::new(true, false);
    let sleeper = Process::start(&tiers, &[]).await;
    sleeper.signal(Signal::SIGSTOP);
    let heir = Process::start(&tiers, &[]).await;
    sleeper.signal(Signal::SIGCONT);
    let (code, _, said) = sleeper.end().await;
    assert_eq!(code, Some(1));
    assert_eq!(said, "tollbar: stopped, because another process uses this database now\n");
    assert_eq!(heir.client.get("/healthz").await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_with_one_redis_share_a_postgresql_database() {
    let tiers = Tiers::new(true, true);
    let (one, two) = (Service::start(&tiers, &[]).await, Service::start(&tiers, &[]).await);
    one.client.signup("user1").await;
    let token = one.client.login("user1").await;
    assert_eq!(two.client.ping(&token).await.0, 200);
    assert_eq!(one.client.ping(&token).await.0, 429, "one limit for both");
    // A session that ends elsewhere is dead to every process that has not just denied its token: that one may repeat the denial.
    let next = one.client.login("user1").await;
    assert_eq!(two.client.ping(&token).await.0, 401, "the login at the other process ended it");
    assert_eq!(two.client.logout(&next).await.0, 204);
    assert_eq!(one.client.ping(&next).await.0, 401, "the logout at the other process ended it");
    assert_eq!(two.client.get("/top").await.1["top"][0]["calls"], 1);
    for service in [one, two] {
        service.stop().await.unwrap();
    }
}
