//! `migrate`: what it says and does, and that no other command does it.

use serde_json::{Value, json};

use crate::{command_line::run, process::Process, tiers::Tiers};

const FIRST: &str = "2025-11-21-000001_users";

async fn migrations_run_once_and_are_named(tiers: Tiers) {
    let file = tiers.folder.path().join("tollbar.db");
    let (code, pending, errors) = run(&tiers, &["migrate", "--check"]).await;
    let many = pending.lines().count();
    assert_eq!((code, errors), (Some(3), format!("tollbar: {many} migrations are pending\n")));
    assert!(pending.starts_with(&format!("{FIRST} is pending\n")) && many > 7, "{pending}");
    // Nobody else migrates a database, which a process of another version may be using.
    for arguments in
        [&["top"][..], &["user", "show", "ada"], &["user", "logout", "ada"], &["limits", "reset", "ada"]]
    {
        let (code, said, errors) = run(&tiers, arguments).await;
        assert_eq!((code, said.as_str()), (Some(1), ""), "{arguments:?}");
        assert!(errors.starts_with("tollbar: `tollbar migrate` has to run first: "), "{errors}");
    }
    assert!(!file.exists(), "it was made by a look");
    let dry: Value = serde_json::from_str(&run(&tiers, &["--json", "migrate", "--dry-run"]).await.1).unwrap();
    assert_eq!((dry["pending"].as_array().unwrap().len(), &dry["pending"][0]), (many, &json!(FIRST)));

    let (code, ran, errors) = run(&tiers, &["migrate"]).await;
    // Not a word of a bar, for it is no terminal.
    assert_eq!(
        (code, errors.as_str(), ran.as_str()),
        (Some(0), "", &*pending.replace("is pending", "has run"))
    );
    let nothing = "nothing to do: the schema is up to date\n";
    assert_eq!(run(&tiers, &["migrate"]).await, (Some(0), nothing.to_owned(), String::new()));
    let as_json = (Some(0), "{\"ran\":[]}\n".to_owned(), String::new());
    assert_eq!(run(&tiers, &["migrate", "--json"]).await, as_json);
    let nothing = "nothing is pending: the schema is up to date\n";
    assert_eq!(run(&tiers, &["migrate", "--check"]).await, (Some(0), nothing.to_owned(), String::new()));
    let unbegun = "tollbar: no process has served from this database yet\n";
    assert_eq!(run(&tiers, &["top"]).await, (Some(1), String::new(), unbegun.to_owned()));

    let process = Process::start(&tiers, &[]).await;
    process.client.signup("ada").await;
    assert_eq!(run(&tiers, &["migrate"]).await.0, Some(0), "beside a process that serves");
    assert_eq!(run(&tiers, &["user", "show", "ada"]).await.0, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_run_once_and_are_named_on_sqlite() {
    migrations_run_once_and_are_named(Tiers::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_run_once_and_are_named_on_postgresql() {
    migrations_run_once_and_are_named(Tiers::new(true, true)).await;
}
