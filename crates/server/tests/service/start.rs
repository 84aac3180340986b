//! What stops a start: one line, and exit code 1.

use tollbar::StartError;

use crate::{process::output, support::Service, tiers::Tiers};

async fn refusal(arguments: &[&str], more: &[(&str, &str)]) -> String {
    let tiers = Tiers::embedded();
    let mut variables = tiers.variables();
    variables.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let refused = output(arguments, variables).await;
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(said.matches('\n').count(), 1, "{said}");
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mistake_in_the_settings() {
    assert_eq!(
        refusal(&[], &[("TOLLBAR__SERVER__BND", "x")]).await,
        "tollbar: unknown setting server.bnd = \"x\", from the environment\n"
    );
    assert_eq!(
        refusal(&["--config", "no/such.toml"], &[]).await,
        "tollbar: the configuration file no/such.toml cannot be read: entity not found\n"
    );
    let said = refusal(&[], &[("TOLLBAR__REDIS__URL", "redis://:hunter2@h:port")]).await;
    assert!(said.starts_with("tollbar: bad setting redis.url = ") && !said.contains("hunter2"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_down() {
    let nowhere = "postgres://user:hunter2@127.0.0.1:1/db";
    let down = [("TOLLBAR__DATABASE__URL", nowhere), ("TOLLBAR__DATABASE__START_DEADLINE", "2s")];
    let said = refusal(&[], &down).await;
    assert!(said.contains("127.0.0.1:1") && !said.contains("hunter2"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = refusal(&[], &[("TOLLBAR__SERVER__BIND", &address)]).await;
    assert!(
        said.starts_with(&format!("tollbar: cannot listen on {address}: Address already in use")),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_are_fixed_for_the_life_of_the_data() {
    let tiers = Tiers::new(true, true);
    Service::start(&tiers, &[]).await.stop().await.unwrap();
    let kept = tiers.redis.as_ref().unwrap().as_str();
    for (variable, set, said) in [
        (
            "TOLLBAR__REDIS__PARTITIONS",
            "8",
            "bad setting redis.partitions = \"8\": this data was begun with \"16\", and it is fixed for its life".to_owned(),
        ),
        (
            "TOLLBAR__REDIS__PREFIX",
            "other",
            format!("bad setting redis.prefix = \"other\": this data was begun with \"{kept}\", and it is fixed for its life"),
        ),
    ] {
        let refused = Service::try_start(&tiers, &[(variable, set)]).await.err().unwrap();
        assert!(matches!(refused, StartError::Changed { .. }));
        assert_eq!(refused.to_string(), said);
    }
    // A refused start has given its claim back.
    Service::start(&tiers, &[]).await.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn help_and_version_start_nothing() {
    let help = output(&["--help"], vec![]).await;
    assert!(help.status.success() && String::from_utf8(help.stdout).unwrap().contains("--config <FILE>"));
    let version = output(&["--version"], vec![]).await;
    let said = format!("tollbar {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8(version.stdout).unwrap(), said);
}
