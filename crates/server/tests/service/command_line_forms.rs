//! What all commands have in common: help that teaches, completions, exit codes and JSON.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{command_line::run, tiers::Tiers};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn help_teaches() {
    let tiers = Tiers::embedded();
    let (code, help, errors) = run(&tiers, &["--help"]).await;
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for taught in [
        "Examples:",
        "tollbar user logout ada ",
        "tollbar limits reset ada --policy orders",
        "at its operator listener (admin.bind, or --admin URL)",
        "Exit codes:",
        "2 the command line makes no sense",
        "3 no: no such user, policy or API;",
        r#"{"error":"there is no such user","exitCode":3}"#,
    ] {
        assert!(words.contains(taught), "{taught}: {help}");
    }
    for command in ["serve", "check", "explain", "migrate", "top", "user", "limits", "completions"] {
        assert!(help.contains(&format!("\n  {command}")), "{command}: {help}");
        let (code, of_command, _) = run(&tiers, &[command, "--help"]).await;
        assert_eq!(code, Some(0), "{command}");
        let teaches = of_command.contains("Examples:") || ["serve", "check"].contains(&command);
        assert!(teaches && of_command.contains("--json"), "{of_command}");
    }
    for (group, commands) in [("user", &["show", "sessions", "logout"][..]), ("limits", &["reset"])] {
        let help = run(&tiers, &[group, "--help"]).await.1;
        assert!(commands.iter().all(|command| help.contains(&format!("\n  {command}"))), "{help}");
    }
}

/// Has a shell read a script without running it. `None`: there is no such shell here.
fn is_syntax(shell: &str, script: &str) -> Option<bool> {
    let child = Command::new(shell).arg("-n").stdin(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = child.ok()?;
    // A shell that has found a mistake need not read on.
    let _ = child.stdin.take().unwrap().write_all(script.as_bytes());
    Some(child.wait().unwrap().success())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn completions_are_made_for_shells() {
    let tiers = Tiers::embedded();
    for (shell, begins) in
        [("bash", "_tollbar() {"), ("zsh", "#compdef tollbar"), ("fish", "# Print an optspec")]
    {
        let (code, script, errors) = run(&tiers, &["completions", shell]).await;
        assert_eq!((code, errors.as_str()), (Some(0), ""));
        assert!(script.starts_with(begins), "{script}");
        for word in ["serve", "migrate", "sessions", "logout", "reset", "policy", "window"] {
            assert!(script.contains(word), "{shell} lacks {word}");
        }
        let read = is_syntax(shell, &script);
        assert!(read == Some(true) || (read.is_none() && shell != "bash"), "{shell}: {read:?}");
        let (_, as_json, _) = run(&tiers, &["completions", shell, "--json"]).await;
        let document: Value = serde_json::from_str(&as_json).unwrap();
        assert_eq!(document, json!({"shell": shell, "script": script}));
    }
    assert_eq!(is_syntax("bash", "if then"), Some(false));
    // Nothing was read or opened for it.
    let mut variables = tiers.variables();
    variables.push(("TOLLBAR__SERVER__BIND".to_owned(), "nowhere".to_owned()));
    assert_eq!(crate::process::output(&["completions", "bash"], variables).await.status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exit_codes_tell_a_failure_from_a_no_and_from_nonsense() {
    let tiers = Tiers::embedded();
    let file = tiers.folder.path().join("bad.toml").display().to_string();
    std::fs::write(&file, "[session]\nttl = \"never\"\n").unwrap();
    for (arguments, expected) in [
        (&["nonsense"][..], 2),
        (&["top", "--limit", "0"], 2),
        (&["limits", "reset"], 2),
        (&["--admin", "https://localhost:1", "top"], 2),
        (&["check", "--config", &file], 3),
        (&["check", "--config", "/nowhere.toml"], 1),
        (&["top", "--config", &file], 1),
        (&["serve", "--config", &file], 1),
        (&["top"], 1),
        (&["--admin", "127.0.0.1:1", "top"], 1),
        (&["migrate", "--check"], 3),
    ] {
        let (code, _, errors) = run(&tiers, arguments).await;
        assert_eq!(code, Some(expected), "{arguments:?}: {errors}");
        if expected != 2 {
            assert!(errors.starts_with("tollbar: ") && errors.lines().count() == 1, "{errors}");
        }
        let (code, said, errors) = run(&tiers, &[arguments, &["--json"]].concat()).await;
        let error: Value = serde_json::from_str(&errors).unwrap();
        assert_eq!(
            (code, error["exitCode"].as_i64()),
            (Some(expected), Some(expected.into())),
            "{arguments:?}"
        );
        assert!(error["error"].is_string(), "{errors}");
        assert!(said.is_empty() || arguments[0] == "migrate", "{said}");
    }
    let (code, version, _) = run(&tiers, &["--version", "--json"]).await;
    assert_eq!((code, version), (Some(0), format!("tollbar {}\n", env!("CARGO_PKG_VERSION"))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_and_explain_answer_in_json() {
    let tiers = Tiers::embedded();
    let json = async |arguments: &[&str]| -> Value {
        let (code, said, errors) = run(&tiers, &[arguments, &["--json"]].concat()).await;
        assert_eq!((code, errors.as_str(), said.lines().count()), (Some(0), "", 1), "{said}");
        serde_json::from_str(&said).unwrap()
    };
    assert_eq!(json(&["check"]).await, json!({"good": true, "source": "the default", "policies": 1}));
    let found = json(&["explain", "--path", "/ping//", "--user", "1"]).await;
    assert_eq!(found["policy"]["name"], "ping");
    assert_eq!((&found["path"], &found["subject"]), (&json!("/ping"), &json!("user 1")));
    assert_eq!(found["windows"][0], json!({"name": "burst", "quota": 1, "period": 5.0}));
    assert_eq!(found["unknown"], "the windows' state is in the memory of the process that serves");
    let refused = json(&["explain", "--path", "/a/../b"]).await;
    assert!(refused["refused"].as_str().unwrap().contains("dot segments"), "{refused}");
    let unmatched = json(&["explain", "--path", "/x"]).await;
    assert!(unmatched["unmatched"].as_str().unwrap().contains("a live session suffices"), "{unmatched}");
}
