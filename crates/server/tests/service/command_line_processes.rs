//! Which process a command asks, and what it does where none can be asked: without Redis, the live state is in one process' memory.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{
    command_line::{run, run_by},
    process::Process,
    tiers::Tiers,
};

const BIND: (&str, &str) = ("TOLLBAR__ADMIN__BIND", "127.0.0.1:0");

async fn end(process: Process) {
    process.signal(Signal::SIGTERM);
    assert_eq!(process.end().await.0, Some(0));
}

async fn json(tiers: &Tiers, arguments: &[&str]) -> Value {
    let (code, said, errors) = run(tiers, &[arguments, &["--json"]].concat()).await;
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{arguments:?}");
    serde_json::from_str(&said).unwrap()
}

async fn without_a_process_the_database_is_enough(tiers: Tiers) {
    let process = Process::start(&tiers, &[]).await;
    process.client.signup("ada").await;
    let token = process.client.login("ada").await;
    assert_eq!(process.client.ping(&token).await.0, 200);
    end(process).await;
    // What was in its memory is gone, and what was not is in the ledger.
    assert_eq!(
        json(&tiers, &["limits", "reset", "ada"]).await,
        json!({"reset": 0, "othersDenyFor": null, "process": null})
    );
    let top = json(&tiers, &["top"]).await;
    assert_eq!((&top["top"], &top["stale"]), (&json!([{"userId": 1, "calls": 1}]), &json!(true)));
    assert!(run(&tiers, &["top"]).await.1.ends_with("by the ledger: the last calls may be missing\n"));
    assert_eq!(json(&tiers, &["user", "show", "ada"]).await["liveSessions"], 1);
    let process = Process::start(&tiers, &[]).await;
    assert_ne!(process.client.ping(&token).await.0, 401);
    end(process).await;
    assert_eq!(json(&tiers, &["user", "logout", "ada"]).await["ended"], 1);
    let process = Process::start(&tiers, &[]).await;
    assert_eq!(process.client.ping(&token).await.0, 401);
    end(process).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_process_the_database_is_enough_on_sqlite() {
    without_a_process_the_database_is_enough(Tiers::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_process_the_database_is_enough_on_postgresql() {
    without_a_process_the_database_is_enough(Tiers::new(true, false)).await;
}

async fn a_process_that_cannot_be_asked_is_not_passed_over(tiers: Tiers) {
    let process = Process::start(&tiers, &[BIND]).await;
    process.client.signup("ada").await;
    let token = process.client.login("ada").await;
    assert_eq!(process.client.ping(&token).await.0, 200);
    let elsewhere = "a process serves from this database, or did a moment ago, and could not be asked (--admin URL says where it listens)";
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let other = Tiers::embedded();
    let stranger = Process::start(&other, &[BIND]).await;
    for (admin, why) in [
        (None, "admin.bind does not say where".to_owned()),
        (Some(closed), format!("nobody listens for operators at http://{closed}")),
        (
            stranger.operators,
            format!("the process at http://{} serves from another database", stranger.operators.unwrap()),
        ),
        (
            Some(process.address),
            format!("what listens at http://{} is no operator listener", process.address),
        ),
    ] {
        for arguments in [&["user", "logout", "ada"][..], &["limits", "reset", "ada"]] {
            let (code, said, errors) = run_by(&tiers, admin, arguments).await;
            assert_eq!((code, said.as_str()), (Some(1), ""), "{errors}");
            assert!(errors.starts_with(&format!("tollbar: {elsewhere}: {why}")), "{errors}");
        }
        // What can be read is told.
        assert_eq!(run_by(&tiers, admin, &["top"]).await.0, Some(0));
        assert_eq!(run_by(&tiers, admin, &["user", "sessions", "ada"]).await.0, Some(0));
    }
    assert_ne!(process.client.ping(&token).await.0, 401, "nothing was done");

    // The one that is named is asked, without a look at the database.
    let named = process.operators.unwrap().to_string();
    let nowhere = Tiers::embedded();
    assert_eq!(json(&nowhere, &["--admin", &named, "user", "logout", "ada"]).await["ended"], 1);
    assert_eq!(process.client.ping(&token).await.0, 401);
    assert!(!nowhere.folder.path().join("tollbar.db").exists());
    let (code, _, errors) = run(&nowhere, &["--admin", &closed.to_string(), "user", "show", "ada"]).await;
    assert!(
        code == Some(1) && errors.starts_with("tollbar: nobody listens for operators at http://127.0.0.1:"),
        "{errors}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_cannot_be_asked_is_not_passed_over_on_sqlite() {
    a_process_that_cannot_be_asked_is_not_passed_over(Tiers::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_cannot_be_asked_is_not_passed_over_on_postgresql() {
    a_process_that_cannot_be_asked_is_not_passed_over(Tiers::new(true, false)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_does_not_answer_is_not_waited_for() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = silent.local_addr().unwrap().to_string();
    let (tiers, asked) = (Tiers::embedded(), ["--admin", &place, "top"]);
    let (code, _, errors) = tokio::time::timeout(Duration::from_secs(15), run(&tiers, &asked)).await.unwrap();
    assert_eq!(code, Some(1));
    assert!(
        errors.starts_with(&format!("tollbar: the process at http://{place} gave no answer")),
        "{errors}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_are_fixed_for_the_data_are_not_passed_over() {
    let tiers = Tiers::new(true, true);
    let process = Process::start(&tiers, &[]).await;
    process.client.signup("ada").await;
    let token = process.client.login("ada").await;
    let mut variables = tiers.variables();
    variables.push(("TOLLBAR__REDIS__PREFIX".to_owned(), "other".to_owned()));
    let refused = crate::process::output(&["user", "logout", "ada"], variables).await;
    assert_eq!(refused.status.code(), Some(1));
    let line = String::from_utf8(refused.stderr).unwrap();
    assert!(line.contains("bad setting redis.prefix = \"other\""), "{line}");
    assert_ne!(process.client.ping(&token).await.0, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_that_redis_did_not_hear_of_says_so() {
    let tiers = Tiers::new(true, true);
    let process = Process::start(&tiers, &[]).await;
    process.client.signup("ada").await;
    process.client.login("ada").await;
    let mut variables = tiers.variables();
    variables.push(("TOLLBAR__REDIS__URL".to_owned(), "redis://127.0.0.1:1".to_owned()));
    let said = crate::process::output(&["user", "logout", "ada"], variables).await;
    let text = String::from_utf8(said.stdout).unwrap();
    assert_eq!(said.status.code(), Some(0), "{text}");
    assert!(
        text.contains("the live tier could not be told: processes may believe them for up to 1m"),
        "{text}"
    );
}
