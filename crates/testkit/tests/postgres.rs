//! Databases on the given PostgreSQL server, and a private one that is killed and hung.
#![expect(clippy::unwrap_used, reason = "helpers of tests, where an unwrap is a failed test")]

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};
use tollbar_testkit::{PrivatePgBouncer, PrivatePostgres, TestDatabase, postgres_url};

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn exists(name: &str) -> bool {
    let client = connect(&postgres_url()).await;
    let rows = client.query("SELECT 1 FROM pg_database WHERE datname = $1", &[&name]).await.unwrap();
    !rows.is_empty()
}

#[tokio::test]
async fn a_database_is_empty_and_goes_with_its_drop_whoever_is_connected() {
    let database = TestDatabase::create();
    let client = connect(&database.url()).await;
    client.batch_execute("CREATE TABLE a (b int)").await.unwrap();
    let name = database.name().to_owned();
    assert!(exists(&name).await);
    drop(database);
    assert!(!exists(&name).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_goes_when_its_test_panics() {
    let database = TestDatabase::create();
    let name = database.name().to_owned();
    let task = tokio::spawn(async move {
        let _database = database;
        panic!("a test that fails");
    });
    assert!(task.await.unwrap_err().is_panic());
    assert!(!exists(&name).await);
}

#[test]
fn many_databases_are_made_at_once() {
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(TestDatabase::create);
        }
    });
}

#[tokio::test]
async fn a_private_server_is_killed_stopped_and_hung() {
    let mut server = PrivatePostgres::options().setting("max_connections", "20").start();
    let url = server.url();
    let client = connect(&url).await;
    client.batch_execute("CREATE TABLE a (b int); INSERT INTO a VALUES (1)").await.unwrap();

    // A backend in the middle of a statement must neither survive nor keep the server from coming back.
    let busy = connect(&url).await;
    let sleeper = tokio::spawn(async move { busy.batch_execute("SELECT pg_sleep(60)").await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.kill9();
    assert!(timeout(Duration::from_secs(5), sleeper).await.unwrap().unwrap().is_err());
    assert!(tokio_postgres::connect(&url, NoTls).await.is_err());
    server.start_again();
    assert_eq!(server.url(), url);
    assert_eq!(connect(&url).await.query("SELECT b FROM a", &[]).await.unwrap().len(), 1);

    server.stop();
    assert!(tokio_postgres::connect(&url, NoTls).await.is_err());
    server.start_again();
    let client = connect(&url).await;

    server.pause();
    assert!(timeout(Duration::from_millis(200), client.query("SELECT 1", &[])).await.is_err());
    server.resume();
    assert_eq!(client.query("SELECT 1", &[]).await.unwrap().len(), 1);
}

#[test]
fn a_database_on_a_dead_server_is_dropped_in_silence() {
    let mut server = PrivatePostgres::start();
    let database = TestDatabase::on(&server.url());
    server.kill9();
    drop(database);
}

#[test]
fn a_wrong_setting_is_told_in_one_line() {
    let error = PrivatePostgres::options().setting("no_such_setting", "1").try_start().unwrap_err();
    let line = tollbar_testkit::one_line(&error);
    assert!(line.contains("no_such_setting") && !line.contains('\n'), "{line}");
}

#[tokio::test]
async fn a_pooler_lends_one_connection_to_many_and_leaves_nothing() {
    let database = TestDatabase::create();
    let pooler = PrivatePgBouncer::options(&database.url()).pool(1).start();
    let (one, other) = (connect(&pooler.url()).await, connect(&pooler.url()).await);
    let backend = async |client: &Client| -> i32 {
        // No named statement: it would stay on a connection that is another's next.
        let rows = client.simple_query("SELECT pg_backend_pid()").await.unwrap();
        let row = rows.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        row.unwrap().parse().unwrap()
    };
    assert_eq!(backend(&one).await, backend(&other).await);
    one.batch_execute("BEGIN").await.unwrap();
    assert!(timeout(Duration::from_millis(200), backend(&other)).await.is_err());
    let (id, url) = (pooler.process_id(), pooler.url());
    drop(pooler);
    assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
    assert!(tokio_postgres::connect(&url, NoTls).await.is_err());
}
