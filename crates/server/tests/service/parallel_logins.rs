//! Many logins at once: each is served or refused for now, and one session is left.

use serde_json::Value;

use crate::{
    support::{Service, account},
    tiers::Tiers,
};

async fn storm(tiers: Tiers) {
    let service = Service::start(&tiers, &[("TOLLBAR__PASSWORD__QUEUE", "4")]).await;
    service.client.signup("user1").await;
    let logins: Vec<_> = (0..200)
        .map(|_| {
            let client = service.client.clone();
            tokio::spawn(async move { client.post("/login", &account("user1")).await })
        })
        .collect();
    let (mut tokens, mut refused) = (Vec::new(), 0);
    for login in logins {
        match login.await.unwrap() {
            (200, body) => tokens.push(body["sessionToken"].as_str().unwrap().to_owned()),
            (503, body) => {
                refused += 1;
                assert_eq!(body["error"], "Too many logins and signups at once, try again!");
            }
            (other, body) => panic!("{other} {body}"),
        }
    }
    // More come at once than run and wait; how many of them depends on the machine.
    assert!(!tokens.is_empty() && refused > 0, "{} served, {refused} refused", tokens.len());
    let mut live = 0;
    for token in &tokens {
        let (status, body): (u16, Value) = service.client.ping(token).await;
        live += usize::from(status != 401);
        assert!([200, 401].contains(&status), "{body}");
    }
    assert_eq!(live, 1, "of {} tokens", tokens.len());
    service.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn are_served_or_refused_for_now() {
    storm(Tiers::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn are_served_or_refused_for_now_on_servers() {
    storm(Tiers::new(true, true)).await;
}
