//! Redis goes away, and each policy does what it says.

use reqwest::{Method, Response};
use serde_json::json;
use tokio::time::sleep;
use tollbar_testkit::PrivateRedis;

use crate::{process::Process, tiers::Tiers};

fn policies() -> String {
    ["closed", "open", "local"]
        .map(|word| {
            format!(
                "[[policies]]\nname = \"{word}\"\napi = \"api\"\npath = \"/{word}\"\non_outage = \"{word}\"\n\
             windows = [{{ name = \"hour\", quota = 3, period = \"1h\" }}]\n\
             [[policies]]\nname = \"{word}-address\"\npath = \"/{word}/address\"\non_outage = \"{word}\"\n\
             limit_by = \"address\"\nsession = false\nwindows = [{{ quota = 3, period = \"1h\" }}]\n"
            )
        })
        .concat()
        + "[[policies]]\nname = \"ping\"\napi = \"api\"\npath = \"/ping\"\nwindows = []\n"
}

async fn ask(process: &Process, path: &str, token: &str) -> Response {
    let request = reqwest::Client::new().get(format!("http://{}/authz/forward", process.address));
    let request = request.header("x-forwarded-method", "GET").header("x-forwarded-uri", path);
    request.bearer_auth(token).send().await.unwrap()
}

async fn statuses(process: &Process, path: &str, token: &str, times: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..times {
        statuses.push(ask(process, path, token).await.status().as_u16());
    }
    statuses
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_policy_does_what_it_says_while_redis_is_away() {
    for postgres in [false, true] {
        let mut redis = PrivateRedis::start();
        let tiers = Tiers::new(postgres, false);
        let file = tiers.folder.path().join("policies.toml");
        std::fs::write(&file, policies()).unwrap();
        let (url, file) = (redis.url(), file.display().to_string());
        let settings = [("TOLLBAR__REDIS__URL", url.as_str()), ("TOLLBAR__REDIS__DEADLINE", "500ms")];
        let arguments = ["--config", file.as_str()];
        let processes = [
            Process::start_with(&tiers, &arguments, &settings).await,
            Process::start_with(&tiers, &arguments, &settings).await,
        ];
        let [one, other] = &processes;
        one.client.signup("user1").await;
        let token = one.client.login("user1").await;
        // All of the quota, and no denial: one that is remembered would be repeated during the outage, too.
        assert_eq!(statuses(one, "/open", &token, 3).await, [200; 3]);
        // Until both have renewed their claim and so have counted each other.
        sleep(std::time::Duration::from_secs(2)).await;

        redis.kill9();
        for process in &processes {
            assert_eq!(statuses(process, "/closed", &token, 2).await, [503, 503]);
            assert_eq!(statuses(process, "/closed/address", &token, 1).await, [503]);
            assert_eq!(statuses(process, "/open", &token, 5).await, [200; 5]);
            assert_eq!(statuses(process, "/open/address", "", 5).await, [200; 5]);
            // A quota over as many hours as there are processes.
            for path in ["/local", "/local/address"] {
                assert_eq!(statuses(process, path, &token, 5).await, [200, 200, 200, 429, 429], "{path}");
                let told = ask(process, path, &token).await.headers()["ratelimit-policy"]
                    .to_str()
                    .unwrap()
                    .to_owned();
                assert!(told.ends_with(";q=3;w=7200"), "{told}");
            }
            // Sessions are those of the database, whatever a cache said.
            for path in ["/open", "/local"] {
                assert_eq!(statuses(process, path, "tbs_dead", 1).await, [401]);
            }
        }
        assert_eq!(one.client.logout(&token).await.0, 204);
        for path in ["/open", "/local"] {
            assert_eq!(statuses(other, path, &token, 1).await, [401], "{path} after a logout elsewhere");
        }
        let token = other.client.login("user1").await;

        redis.start_again();
        for process in &processes {
            for _ in 0..200 {
                if process.client.get("/readyz").await.1["status"] == "ready" {
                    break;
                }
                sleep(std::time::Duration::from_millis(50)).await;
            }
        }
        // Redis has lost its state, and so one quota an hour may be had again, no more. Calls of the outage are on the board.
        assert_eq!(statuses(one, "/open", &token, 4).await, [200, 200, 200, 429]);
        let calls = 3 + 2 * (5 + 3) + 3;
        for attempt in 0.. {
            let top = one.client.get("/top").await.1["top"].clone();
            if top == json!([{"userId": 1, "calls": calls}]) {
                break;
            }
            assert!(attempt < 100, "{top}");
            sleep(std::time::Duration::from_millis(100)).await;
        }
        let answer = one.client.send(Method::GET, "/ping", Some(&token)).await;
        assert_eq!(answer.status(), 200);
    }
}
