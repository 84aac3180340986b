//! `top`, `user` and `limits` on each kind of tiers, beside processes that serve.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};

use crate::{
    command_line::{run, run_by},
    process::Process,
    tiers::Tiers,
};

const BIND: (&str, &str) = ("TOLLBAR__ADMIN__BIND", "127.0.0.1:0");
/// Nobody's wait ends while a test runs.
const POLICY: &str =
    "[[policies]]\nname = \"ping\"\npath = \"/ping\"\nwindows = [{ quota = 1, period = \"1h\" }]\n";

struct Stage {
    tiers: Tiers,
    file: String,
    process: Process,
}

impl Stage {
    async fn set(tiers: Tiers) -> Self {
        let file = tiers.folder.path().join("policies.toml").display().to_string();
        std::fs::write(&file, POLICY).unwrap();
        let process = Process::start_with(&tiers, &["--config", &file], &[BIND]).await;
        Self { tiers, file, process }
    }

    fn admin(&self) -> SocketAddr {
        self.process.operators.expect("it listens for operators")
    }

    /// What a command prints that is done.
    async fn said(&self, arguments: &[&str]) -> String {
        let arguments = [&["--config", &self.file], arguments].concat();
        let (code, said, errors) = run_by(&self.tiers, Some(self.admin()), &arguments).await;
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{arguments:?}: {said}");
        said
    }

    async fn json(&self, arguments: &[&str]) -> Value {
        let said = self.said(&[arguments, &["--json"]].concat()).await;
        assert_eq!(said.lines().count(), 1, "{said}");
        serde_json::from_str(&said).unwrap()
    }

    /// What it says that it cannot or will not do.
    async fn refused(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let arguments = [&["--config", &self.file], arguments].concat();
        let (code, said, errors) = run_by(&self.tiers, Some(self.admin()), &arguments).await;
        assert_eq!(said, "", "{arguments:?}");
        (code, errors)
    }
}

async fn each_command_tells_and_does(tiers: Tiers) {
    let stage = Stage::set(tiers).await;
    let client = &stage.process.client;
    client.signup("Ada").await;
    client.signup("bob").await;
    let token = client.login("ada").await;
    for status in [200, 429] {
        assert_eq!(client.ping(&token).await.0, status);
    }
    // Live counts are asked for, not those of the last flush.
    let top = json!({"api": "ping", "window": "all", "by": "calls", "top": [{"userId": 1, "calls": 1}], "maxError": 0});
    assert_eq!(stage.json(&["top"]).await, top);
    assert_eq!(
        stage.said(&["top"]).await,
        "ping: calls, of all time\nPLACE  USER  CALLS\n    1     1      1\n"
    );
    // What is told of windows and of accounts is flushed every second.
    tokio::time::timeout(Duration::from_secs(20), async {
        while stage.json(&["top", "--window", "24h", "--by", "limited"]).await["top"] == json!([]) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await
    .unwrap();
    let limited =
        stage.said(&["top", "--window", "24h", "--by", "limited", "--api", "ping", "--limit", "3"]).await;
    assert!(limited.starts_with("ping: calls over a limit, 24h, since 20"), "{limited}");
    assert!(limited.ends_with("PLACE  USER  CALLS\n    1     1      1\n"), "{limited}");

    let shown = stage.said(&["user", "show", "ADA"]).await;
    assert!(shown.starts_with("Ada, user 1, since 20"), "{shown}");
    assert!(shown.ends_with("Z\n1 live session\nAPI   CALLS\nping      1\n"), "{shown}");
    let account = stage.json(&["user", "show", "id:1"]).await;
    assert_eq!(
        (&account["id"], &account["username"], &account["liveSessions"]),
        (&json!(1), &json!("Ada"), &json!(1))
    );
    assert_eq!(account["calls"], json!([{"api": "ping", "calls": 1}]));
    assert!(stage.said(&["user", "show", "bob"]).await.ends_with("\n0 live sessions\nno calls\n"));

    let sessions = stage.json(&["user", "sessions", "ada"]).await;
    let session = &sessions["sessions"][0];
    assert_eq!((&sessions["id"], &session["session"]), (&json!(1), &json!(1)));
    let opened = session["openedAt"].as_str().unwrap();
    assert!(opened < session["expiresAt"].as_str().unwrap() && opened.ends_with('Z'), "{sessions}");
    let listed = stage.said(&["user", "sessions", "ada"]).await;
    assert!(listed.starts_with("Ada, user 1\nSESSION  OPENED ") && listed.lines().count() == 3, "{listed}");
    // Four members and no more: neither token nor verifier.
    assert_eq!(session.as_object().unwrap().len(), 3, "{sessions}");
    assert!(!listed.contains(&token) && !listed.contains("tbs_"));
    assert_eq!(stage.said(&["user", "sessions", "bob"]).await, "bob, user 2\nno live session\n");

    let denied = stage.said(&["explain", "--path", "/ping", "--user", "1"]).await;
    assert!(denied.contains("user 1:\n  1h: 1 in 1h: 0 left, denies for 59m "), "{denied}");
    let reset = stage.said(&["limits", "reset", "ada", "--policy", "ping"]).await;
    assert!(reset.starts_with("1 limit was reset\n"), "{reset}");
    let free = stage.json(&["explain", "--path", "/ping", "--user", "1"]).await;
    assert_eq!((&free["admits"], &free["windows"][0]["remaining"]), (&json!(true), &json!(1)));
    for status in [200, 429] {
        assert_eq!(client.ping(&token).await.0, status, "the whole quota, and no more");
    }
    let reset = stage.json(&["limits", "reset", "id:1"]).await;
    let process = format!("http://{}", stage.admin());
    let others = if stage.tiers.redis.is_some() { json!(60.0) } else { Value::Null };
    assert_eq!(reset, json!({"reset": 1, "othersDenyFor": others, "process": process}));
    assert_eq!(client.ping(&token).await.0, 200);
    assert_eq!(
        stage.json(&["top"]).await["top"][0]["calls"],
        3,
        "a reset counts nothing and forgets no count"
    );
    for whose in [&["--client", "192.0.2.1"][..], &["--header", "X-Api-Key=abc"]] {
        assert_eq!(stage.json(&[&["limits", "reset"], whose].concat()).await["reset"], 0);
    }

    let ended = json!({"id": 1, "username": "Ada", "ended": 1, "confirmed": true});
    assert_eq!(stage.json(&["user", "logout", "ada"]).await, ended);
    assert_eq!(client.ping(&token).await.0, 401);
    assert_eq!(stage.said(&["user", "logout", "ada"]).await, "Ada, user 1: 0 sessions have ended\n");

    for (arguments, line) in [
        (&["user", "show", "nobody"][..], "there is no such user"),
        (&["user", "sessions", "id:99"], "there is no such user"),
        (&["user", "logout", "nobody"], "there is no such user"),
        (&["limits", "reset", "nobody"], "there is no such user"),
        (&["limits", "reset", "ada", "--policy", "other"], "there is no policy of this name"),
        (&["top", "--api", "other"], "no calls are counted under this name"),
    ] {
        assert_eq!(stage.refused(arguments).await, (Some(3), format!("tollbar: {line}\n")), "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_command_tells_and_does_on_sqlite_and_memory() {
    each_command_tells_and_does(Tiers::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_command_tells_and_does_on_postgresql_and_redis() {
    each_command_tells_and_does(Tiers::new(true, true)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ends_or_is_reset_is_so_at_every_process() {
    let stage = Stage::set(Tiers::new(true, true)).await;
    let other = Process::start_with(&stage.tiers, &["--config", &stage.file], &[BIND]).await;
    let client = &stage.process.client;
    client.signup("ada").await;
    let token = client.login("ada").await;
    assert_eq!(client.ping(&token).await.0, 200);
    for process in [&stage.process, &other] {
        assert_eq!(process.client.ping(&token).await.0, 429);
    }
    // The other one, which was not asked, denies from its memory, as is said.
    let said = stage.said(&["limits", "reset", "ada"]).await;
    let note =
        format!("processes other than http://{} may deny again from memory for up to 1m;", stage.admin());
    assert!(said.starts_with("1 limit was reset\n") && said.contains(&note), "{said}");
    assert_eq!(other.client.ping(&token).await.0, 429);
    assert_eq!(client.ping(&token).await.0, 200);
    let asked = format!("http://{}", other.operators.unwrap());
    assert_eq!(stage.json(&["limits", "reset", "ada", "--admin", &asked]).await["process"], json!(asked));
    assert_eq!(other.client.ping(&token).await.0, 200);

    // No process is asked: Redis tells them all.
    let (code, _, errors) = run(&stage.tiers, &["user", "logout", "ada"]).await;
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    for process in [&other, &stage.process] {
        assert_eq!(process.client.ping(&token).await.0, 401);
    }
    // And where none can be asked to forget its denials, that is said.
    let (code, said, _) = run(&stage.tiers, &["limits", "reset", "ada"]).await;
    assert!(code == Some(0) && said.contains("processes that serve may deny again from memory"), "{said}");
}
