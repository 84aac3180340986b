//! What passes and what does not, as a real server says it.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod support;

use support::{client, login, open, user};
use tollbar_core::domain::UserId;
use tollbar_postgres::PgStore;
use tollbar_testkit::TestDatabase;

struct Case {
    database: TestDatabase,
    store: PgStore,
    ada: UserId,
}

impl Case {
    async fn new() -> Self {
        let database = TestDatabase::create();
        let store = open(&database.url()).await;
        let ada = user(&store, "ada").await;
        Self { database, store, ada }
    }

    async fn given(&self, sql: &str) {
        client(&self.database.url()).await.batch_execute(sql).await.unwrap();
    }

    /// Whether the next login fails for now.
    async fn fails_for_now(&self) -> bool {
        login(&self.store, self.ada).await.unwrap_err().is_transient()
    }
}

#[tokio::test]
async fn an_error_with_the_code_of_the_servers_trouble_passes() {
    let case = Case::new().await;
    case.given(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE code text;
         BEGIN SELECT value INTO code FROM trouble; RAISE EXCEPTION 'kaputt' USING ERRCODE = code; END $$;
         CREATE TABLE trouble (value text);
         CREATE TRIGGER fail BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION fail()",
    )
    .await;
    // Serialisation, deadlock, disk full, out of memory, cancelled, shut down, read-only: none of their texts is needed.
    for code in ["40001", "40P01", "53100", "53200", "57014", "57P01", "25006"] {
        case.given(&format!("TRUNCATE trouble; INSERT INTO trouble VALUES ('{code}')")).await;
        assert!(case.fails_for_now().await, "{code}");
    }
    for code in ["23514", "23502", "23503"] {
        case.given(&format!("TRUNCATE trouble; INSERT INTO trouble VALUES ('{code}')")).await;
        assert!(!case.fails_for_now().await, "{code}");
    }
}

#[tokio::test]
async fn connections_that_ended_while_at_rest_fail_no_call() {
    let case = Case::new().await;
    login(&case.store, case.ada).await.unwrap();
    case.given(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'tollbar'",
    )
    .await;
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    login(&case.store, case.ada).await.unwrap();
}

#[tokio::test]
async fn a_schema_that_is_not_ours_does_not_pass() {
    let case = Case::new().await;
    case.given("ALTER TABLE users RENAME COLUMN version TO edition").await;
    assert!(!case.fails_for_now().await);
}
