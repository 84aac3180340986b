//! `check` and `explain`: what they say, and that they change nothing; here is also how a command is run.

use std::net::SocketAddr;

use crate::{
    process::{Process, output},
    tiers::Tiers,
};

const POLICIES: &str = r#"
[[policies]]
name = "admin"
path = "/orders/*"
host = "admin.example.com"
windows = []

[[policies]]
name = "writes"
path = "/orders/*"
methods = ["POST", "PUT"]
windows = [{ quota = 1, period = "1h" }]

[[policies]]
name = "ping"
path = "/ping"
windows = [{ name = "hour", quota = 2, period = "1h" }, { quota = 5, period = "1d" }]

[[policies]]
name = "orders"
api = "shop"
path = "/orders/{id}"
limit_by = "header:X-Api-Key"
windows = [{ quota = 2, period = "1h" }]
cost = 2
"#;

/// Exit code, standard output and standard error.
pub(crate) type Answered = (Option<i32>, String, String);

/// Runs a command by the settings of these tiers.
pub(crate) async fn run(tiers: &Tiers, arguments: &[&str]) -> Answered {
    run_by(tiers, None, arguments).await
}

/// The same where the settings also say where operators are listened to.
pub(crate) async fn run_by(tiers: &Tiers, admin: Option<SocketAddr>, arguments: &[&str]) -> Answered {
    let mut variables = tiers.variables();
    if let Some(admin) = admin {
        variables.push(("TOLLBAR__ADMIN__BIND".to_owned(), admin.to_string()));
    }
    let said = output(arguments, variables).await;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (said.status.code(), text(&said.stdout), text(&said.stderr))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn check_says_the_first_mistake_or_that_there_is_none() {
    let tiers = Tiers::embedded();
    let file = tiers.folder.path().join("policies.toml").display().to_string();
    std::fs::write(&file, POLICIES).unwrap();
    for arguments in [["check", "--config", &file], ["--config", &file, "check"]] {
        let (code, said, errors) = run(&tiers, &arguments).await;
        assert_eq!((code, said, errors.as_str()), (Some(0), format!("{file} is good: 4 policies\n"), ""));
    }
    std::fs::write(&file, POLICIES.replace("quota = 5", "quota = 0")).unwrap();
    let (code, said, errors) = run(&tiers, &["check", "--config", &file]).await;
    let line = format!(
        "tollbar: bad setting policies[2].windows[1].quota = \"0\", from {file}, line 17: quota 0 is not from 1 to 1000000000\n"
    );
    assert_eq!((code, said.as_str(), errors), (Some(3), "", line));
    let mut variables = tiers.variables();
    for (name, value, mistake) in [
        ("TOLLBAR__DATABASE__URL", "postgres://ada:hunter2@h:99999/d", "port"),
        ("TOLLBAR__DATABASE__URL", "postgres://ada:hunter2@h/d?x=1", "unknown option `x`"),
        ("TOLLBAR__ADMIN__BIND", "127.0.0.1:8080", "must be another than server.bind"),
    ] {
        variables.push((name.to_owned(), value.to_owned()));
        variables.push(("TOLLBAR__SERVER__BIND".to_owned(), "127.0.0.1:8080".to_owned()));
        let said = output(&["check"], variables.clone()).await;
        let errors = String::from_utf8(said.stderr).unwrap();
        assert_eq!((said.status.code(), said.stdout.len()), (Some(3), 0), "{errors}");
        assert!(errors.contains(mistake) && !errors.contains("hunter2"), "{errors}");
        variables = tiers.variables();
    }
    // Nothing was opened.
    assert!(!tiers.folder.path().join("tollbar.db").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_says_which_policy_and_how_its_windows_stand() {
    let tiers = Tiers::new(true, true);
    let file = tiers.folder.path().join("policies.toml").display().to_string();
    std::fs::write(&file, POLICIES).unwrap();
    let process = Process::start_with(&tiers, &["--config", &file], &[]).await;
    process.client.signup("user1").await;
    let token = process.client.login("user1").await;
    let ping = ["--config", &file, "explain", "--path", "/ping//?x", "--user", "1"];
    let mut said = Vec::new();
    for status in [200, 200, 429] {
        said.push(run(&tiers, &ping).await.1);
        // Twice: nothing is spent.
        assert_eq!(run(&tiers, &ping).await.0, Some(0));
        assert_eq!(process.client.ping(&token).await.0, status);
    }
    let head = "GET /ping\npolicy 3 of 4, \"ping\": path /ping, any method, any host\n\
        limited by user, needs a session, enforced, costs 1, counted as \"ping\", closed while Redis is away\nuser 1:\n";
    let fresh = "  hour: 2 in 1h: 2 left, none held\n  1d: 5 in 1day: 5 left, none held\na call now would be admitted\n";
    assert_eq!(said[0], format!("{head}{fresh}"));
    assert!(said[1].contains("  hour: 2 in 1h: 1 left, one more in 59m "), "{}", said[1]);
    assert!(said[2].contains("  hour: 2 in 1h: 0 left, denies for 59m "), "{}", said[2]);
    assert!(said[2].ends_with("a call now would be denied\n"), "{}", said[2]);

    let of = ["--config", &file, "explain", "--path", "/orders/7", "--header", "x-api-key=k"];
    let orders = run(&tiers, &of).await.1;
    let passed_over =
        "not 1, \"admin\": it is for the host admin.example.com\nnot 2, \"writes\": it is for POST, PUT\n";
    assert!(
        orders.starts_with(&format!("GET /orders/7\n{passed_over}policy 4 of 4, \"orders\": ")),
        "{orders}"
    );
    assert!(
        orders.contains("costs 2, counted as \"shop\"") && orders.contains("header X-Api-Key:\n"),
        "{orders}"
    );
    let whose = run(&tiers, &of[..5]).await.1;
    assert!(
        whose.contains("header X-Api-Key, of all calls without it:\n  1h: 2 in 1h: 2 left, none held\n"),
        "{whose}"
    );
    let twofold = run(&tiers, &["--config", &file, "explain", "--path", "/a/../b"]).await.1;
    assert!(twofold.starts_with("/a/../b is refused: a path with dot segments"), "{twofold}");
    let lower = run(&tiers, &["--config", &file, "explain", "--method", "get", "--path", "/ping"]).await.1;
    assert!(lower.contains(" is refused: a method in lower case"), "{lower}");
    let none = run(&tiers, &["--config", &file, "explain", "--path", "/x"]).await.1;
    assert!(none.contains("none of 4 policies is for it: a live session suffices"), "{none}");
    let (code, _, errors) = run(&tiers, &["explain", "--path", "/x", "--user", "0"]).await;
    assert_eq!(code, Some(2));
    assert!(errors.contains("a user id is a whole number from 1"), "{errors}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn explain_says_where_it_cannot_see() {
    let tiers = Tiers::embedded();
    let said = run(&tiers, &["explain", "--path", "/ping", "--user", "1"]).await.1;
    assert!(
        said.contains("in the memory of the process that serves:\n  burst: 1 in 5s\n  minute: 2 in 1m\n"),
        "{said}"
    );
    let mut variables = tiers.variables();
    variables.push(("TOLLBAR__REDIS__URL".into(), "redis://127.0.0.1:1".into()));
    let said = output(&["explain", "--path", "/ping", "--user", "1"], variables).await;
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("Redis does not answer") && said.contains("  burst: 1 in 5s\n"), "{said}");
}
