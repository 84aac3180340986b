//! Opening: once however many do it at once, and in one line without the password where it fails.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod support;

use std::{error::Error, time::Duration};

use support::{client, login, open, user, version};
use tokio::runtime::Runtime;
use tollbar_postgres::{OpenError, PgOptions, PgStore};
use tollbar_testkit::{PrivatePostgres, Proxy, TestDatabase, postgres_url};

fn chain(error: &dyn Error) -> String {
    let cause = error.source().map(|cause| format!(": {}", chain(cause)));
    format!("{error}{}", cause.unwrap_or_default())
}

#[tokio::test]
async fn many_open_a_new_database_at_once_and_the_schema_is_made_once() {
    let database = TestDatabase::create();
    let opening: Vec<_> =
        (0..8).map(|_| tokio::spawn(PgStore::open(PgOptions::new(database.url())))).collect();
    for opened in opening {
        opened.await.unwrap().unwrap();
    }
    let store = open(&database.url()).await;
    user(&store, "ada").await;
    let ran = client(&database.url()).await;
    let ran: i64 =
        ran.query_one("SELECT count(*) FROM __diesel_schema_migrations", &[]).await.unwrap().get(0);
    let migrations = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap().count();
    assert_eq!(usize::try_from(ran).unwrap(), migrations);
}

#[tokio::test]
async fn a_restart_finds_what_was_acknowledged() {
    let mut server = PrivatePostgres::start();
    let store = open(&server.url()).await;
    let ada = user(&store, "ada").await;
    login(&store, ada).await.unwrap();
    server.kill9();
    let error = login(&store, ada).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    server.start_again();
    // The same store finds the server again, and so does a new one.
    assert_eq!(login(&store, ada).await.unwrap().version.get(), 2);
    assert_eq!(version(&open(&server.url()).await, ada).await, 2);
}

#[tokio::test]
async fn a_server_that_is_down_stops_the_start_with_one_line() {
    let error =
        PgStore::open(PgOptions::new("postgres://me:hunter22@127.0.0.1:1/tollbar")).await.unwrap_err();
    let shown = chain(&error);
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    assert!(shown.contains("127.0.0.1:1/tollbar") && shown.contains("refused"), "{shown}");
    assert!(!shown.contains("hunter22") && !shown.contains('\n'), "{shown}");
    assert!(!format!("{error:?}").contains("hunter22"));
}

#[tokio::test]
async fn a_wrong_password_is_not_shown() {
    let server = PrivatePostgres::start();
    let url = format!("postgres://postgres:hunter22@127.0.0.1:{}/postgres", server.port());
    let shown = chain(&PgStore::open(PgOptions::new(url)).await.unwrap_err());
    assert!(shown.contains("password authentication failed") && !shown.contains("hunter22"), "{shown}");
}

#[test]
fn a_hung_server_holds_up_neither_the_start_nor_the_end() {
    let direct = postgres_url();
    let proxy = Proxy::to_url(&direct);
    proxy.blackhole();
    let runtime = Runtime::new().unwrap();
    let start_deadline = Duration::from_millis(200);
    let options = PgOptions { start_deadline, ..PgOptions::new(proxy.url(&direct)) };
    let error = runtime.block_on(PgStore::open(options)).unwrap_err();
    let late = matches!(error, OpenError::Deadline { .. } | OpenError::Unreachable { .. });
    assert!(late, "{error:?}");
    drop(runtime);
}

#[test]
fn a_server_that_hangs_amid_the_migrations_holds_up_neither() {
    let database = TestDatabase::create();
    let (runtime, elsewhere) = (Runtime::new().unwrap(), Runtime::new().unwrap());
    // What every migration waits for, as another process that starts holds it.
    let _other = elsewhere.block_on(async {
        let other = client(&database.url()).await;
        other.batch_execute("BEGIN; SELECT pg_advisory_xact_lock(8390043843577344513)").await.unwrap();
        other
    });
    let start_deadline = Duration::from_millis(300);
    let options = PgOptions { start_deadline, ..PgOptions::new(database.url()) };
    let late = runtime.block_on(PgStore::open(options));
    assert!(matches!(late, Err(OpenError::Deadline { .. } | OpenError::Migration { .. })), "{late:?}");
    drop(runtime);
}
