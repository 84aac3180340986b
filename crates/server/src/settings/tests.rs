//! What settings say, and the one line that each mistake becomes.

use std::{io::Write, num::NonZeroUsize, time::Duration};

use tempfile::NamedTempFile;
use tollbar_core::{policies::RequestPath, sessions::OnCacheOutage};
use tollbar_http::{HeaderFormat, TrustedProxies};

use super::{DatabaseUrl, LogFormat, Settings, Variables};

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

pub(super) fn load(text: &str, variables: &[(&str, &str)]) -> Result<Settings, String> {
    let file = file(text);
    let loaded = Settings::load(Some(file.path()), Variables::of(variables.iter().copied()));
    loaded.map_err(|error| error.to_string().replace(&file.path().display().to_string(), "FILE"))
}

#[test]
fn the_defaults_are_those_of_the_design() {
    let settings = Settings::load(None, Variables::default()).unwrap();
    assert_eq!(settings.server.bind.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.server.shutdown_timeout, Duration::from_secs(30));
    assert_eq!(settings.database.url, DatabaseUrl::Sqlite("sqlite://data/tollbar.db".into()));
    let database = &settings.database;
    assert!(!database.pooler && database.ca_file.is_none() && database.key_file.is_none());
    assert!(settings.redis.is_none());
    assert_eq!(settings.session.options.ttl, Duration::from_secs(1800));
    assert_eq!(settings.session.options.max_per_user, NonZeroUsize::MIN);
    assert_eq!(settings.session.options.on_cache_outage, OnCacheOutage::Serve);
    assert_eq!((settings.password.bcrypt_cost, settings.password.queue), (12, 64));
    assert_eq!(settings.password.min_length, 7);
    assert_eq!(settings.gate.deny_cache, 65_536);
    assert_eq!(
        (settings.ping_delay, settings.counts.flush),
        (Duration::from_millis(100), Duration::from_secs(1))
    );
    assert_eq!(settings.bar.headers, HeaderFormat::Draft11);
    assert!(!settings.bar.cookies);
    assert_eq!(settings.bar.trusted_proxies, TrustedProxies::default());
    let table = settings.policies.table();
    let policy = table.find("GET", None, &RequestPath::of(b"/ping").unwrap()).unwrap().policy("GET").clone();
    let windows: Vec<_> =
        policy.windows().iter().map(|window| (window.quota(), window.period().as_secs())).collect();
    assert_eq!((policy.name().as_str(), windows), ("ping", vec![(1, 5), (2, 60)]));
    assert_eq!(policy.window_names(), ["burst", "minute"]);
    let unmatched = table.find("GET", None, &RequestPath::of(b"/other").unwrap()).unwrap();
    assert!(unmatched.options().session && unmatched.options().policy.windows().is_empty());
}

#[test]
fn the_production_file_loads() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/production.toml");
    let urls = [("DATABASE_URL", "postgres://u:p@h/d"), ("REDIS_URL", "redis://h")];
    let settings = Settings::load(Some(path.as_ref()), Variables::of(urls)).unwrap();
    assert_eq!((settings.password.min_length, settings.log.format), (15, LogFormat::Json));
    assert!(settings.redis.is_some());
    assert_eq!(settings.database.url, DatabaseUrl::Postgres("postgres://u:p@h/d".into()));
}

#[test]
fn the_environment_wins_over_urls_over_the_file_over_the_defaults() {
    let text = "[database]\nurl = \"sqlite://file.db\"\n[redis]\nprefix = \"file\"\npartitions = 4\n";
    let prefix = |settings: &Settings| settings.redis.clone().unwrap().prefix;
    let settings = load(text, &[("REDIS_URL", "redis://one")]).unwrap();
    assert_eq!(settings.database.url, DatabaseUrl::Sqlite("sqlite://file.db".into()));
    assert_eq!(settings.redis.as_ref().unwrap().partitions.get(), 4);
    let all = [
        ("DATABASE_URL", "sqlite://url.db"),
        ("REDIS_URL", "redis://one"),
        ("TOLLBAR__REDIS__URL", "redis://two"),
        // Not a number: it would lose its zeros.
        ("TOLLBAR__REDIS__PREFIX", "007"),
    ];
    let settings = load(text, &all).unwrap();
    assert_eq!(settings.database.url, DatabaseUrl::Sqlite("sqlite://url.db".into()));
    assert_eq!((prefix(&settings).as_str(), settings.redis.unwrap().url.as_str()), ("007", "redis://two"));
    let empty = [("DATABASE_URL", ""), ("TOLLBAR__SERVER__BIND", ""), ("TOLLBAR__PASSWORD__QUEUE", "")];
    assert_eq!(load(text, &empty).unwrap().database.url, DatabaseUrl::Sqlite("sqlite://file.db".into()));
}

#[test]
fn a_files_list_of_policies_replaces_the_default_list() {
    let settings = load(
        "[[policies]]\nname = \"p\"\npath = \"/ping\"\nwindows = [{ quota = 7, period = \"1h\" }]\n",
        &[],
    );
    let table = settings.unwrap().policies.table();
    let policy = &table.rules()[0].options().policy;
    assert_eq!((table.rules().len(), policy.name().as_str(), policy.windows()[0].quota()), (1, "p", 7));
}

#[test]
fn nothing_is_a_size_of_the_deny_cache() {
    assert_eq!(load("[gate]\ndeny_cache = 0\n", &[]).unwrap().gate.deny_cache, 0);
}

#[test]
fn a_mistake_in_the_file_is_one_line_that_names_key_and_value() {
    for (text, line) in [
        ("[server\n", "the configuration file FILE, line 1: unclosed table, expected `]`"),
        (
            "a = 1\n\nb = \"hunter2\n",
            "the configuration file FILE, line 3: invalid basic string, expected `\"`",
        ),
        ("[server]\nbnd = \"x\"\n", "unknown setting server.bnd = \"x\", from FILE, line 2"),
        ("[sever]\nbind = \"x\"\n", "unknown setting sever.bind = \"x\", from FILE, line 2"),
        ("server = 5\n", "unknown setting server = \"5\", from FILE, line 1"),
        ("[server]\nBind = \"x\"\n", "unknown setting server.Bind = \"x\", from FILE, line 2"),
        (
            "[database]\npasword = \"hunter2\"\n",
            "unknown setting database.pasword = (not shown), from FILE, line 2",
        ),
        (
            "[server]\nbind = \"nowhere\"\n",
            "bad setting server.bind = \"nowhere\", from FILE, line 2: it must be address and port, such as 127.0.0.1:8080 or [::1]:8080",
        ),
        (
            "[server]\nbind = [1]\n",
            "bad setting server.bind = \"(a list)\", from FILE, line 2: it must be one value",
        ),
        (
            "[password]\nbcrypt_cost = 3\n",
            "bad setting password.bcrypt_cost = \"3\", from FILE, line 2: it must be a whole number from 4 to 31",
        ),
        (
            "[gate]\ndeny_cache = -1\n",
            "bad setting gate.deny_cache = \"-1\", from FILE, line 2: it must be a whole number from 0 to 10000000",
        ),
        (
            "[session]\nttl = 30\n",
            "bad setting session.ttl = \"30\", from FILE, line 2: it must be a duration such as \"30s\", from 1s to 1year 18h",
        ),
        (
            "[counts]\nflush = \"5ms\"\n",
            "bad setting counts.flush = \"5ms\", from FILE, line 2: it must be a duration such as \"30s\", from 10ms to 1m",
        ),
        (
            "[session]\non_cache_outage = \"wait\"\n",
            "bad setting session.on_cache_outage = \"wait\", from FILE, line 2: it must be one of \"serve\", \"refuse\"",
        ),
        (
            "[redis]\nurl = \"rediss://:hunter2@h/x\"\n",
            "bad setting redis.url = \"rediss://…\", from FILE, line 2: it must be empty, or redis://…, redis-cluster://… or redis-sentinel://… (with TLS: rediss…): its path is no number of a database (0 to 255)",
        ),
        (
            "[redis]\nurl = \"rediss://:hunter2@h\"\nkey_file = \"no/such.pem\"\n",
            "bad setting redis.key_file = \"no/such.pem\", from FILE, line 3: it must be empty, or a file with a private key in PEM form: it cannot be read: entity not found",
        ),
        (
            "[redis]\nurl = \"rediss://:hunter2@h\"\nca_file = \"/dev/null\"\n",
            "bad setting redis.ca_file = \"/dev/null\", from FILE, line 3: it must be empty, or a file with certificates in PEM form: it holds no certificate in PEM form",
        ),
        (
            "[database]\npooler = \"maybe\"\n",
            "bad setting database.pooler = \"maybe\", from FILE, line 2: it must be one of \"false\", \"true\"",
        ),
        (
            "[database]\nca_file = [\"a.pem\"]\n",
            "bad setting database.ca_file = \"(a list)\", from FILE, line 2: it must be one value",
        ),
        (
            "[redis]\nprefix = \"a{b\"\n",
            "bad setting redis.prefix = \"a{b\", from FILE, line 2: it must be 1 to 64 visible ASCII characters without braces",
        ),
    ] {
        assert_eq!(load(text, &[]).unwrap_err(), line);
    }
    let missing = Settings::load(Some("no/such.toml".as_ref()), Variables::default()).unwrap_err();
    assert_eq!(missing.to_string(), "the configuration file no/such.toml cannot be read: entity not found");
}

#[test]
fn a_mistake_in_the_environment_is_one_line_that_names_key_and_value() {
    for (name, value, line) in [
        ("TOLLBAR__SERVER__BND", "x", "unknown setting server.bnd = \"x\", from the environment"),
        ("TOLLBAR__SERVER", "x", "unknown setting server = \"x\", from the environment"),
        (
            "TOLLBAR__SERVER__WORKERS",
            "many",
            "bad setting server.workers = \"many\", from the environment: it must be a whole number from 0 to 512",
        ),
        (
            "TOLLBAR__POLICIES",
            "x",
            "bad setting policies = \"x\", from the environment: it must be a list of policies, in a file",
        ),
        (
            "TOLLBAR__DATABASE__URL",
            "mysql://u:hunter2@h",
            "bad setting database.url = \"mysql://…\", from the environment: it must be sqlite://PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE",
        ),
        (
            "DATABASE_URL",
            "hunter2",
            "bad setting database.url = (not shown), from DATABASE_URL: it must be sqlite://PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE",
        ),
        (
            "REDIS_URL",
            "redis-sentinel://h?sentinel_password=hunter2",
            "bad setting redis.url = \"redis-sentinel://…\", from REDIS_URL: it must be empty, or redis://…, redis-cluster://… or redis-sentinel://… (with TLS: rediss…): it must name the service that the sentinels watch: ?service=NAME",
        ),
        ("TOLLBAR__SERVER__BIND[", "x", "unknown setting server.bind[ = \"x\", from the environment"),
    ] {
        assert_eq!(load("", &[(name, value)]).unwrap_err(), line);
    }
    for (one, other) in [
        ("TOLLBAR__SERVER__BIND", "TOLLBAR__SERVER__BIND__X"),
        ("TOLLBAR__SESSION__TTL", "TOLLBAR__session__TTL"),
    ] {
        let said = load("", &[(one, "127.0.0.1:1"), (other, "127.0.0.1:1")]).unwrap_err();
        assert_eq!(said, format!("the environment variable {other} cannot be read as a setting"));
    }
    // A service named tollbar brings such variables to Kubernetes pods.
    assert!(load("", &[("TOLLBAR_PORT", "tcp://10.0.0.1:80"), ("TOLLBAR_SERVICE_HOST", "x")]).is_ok());
}

#[test]
fn names_of_the_operator_listener_are_hosts() {
    let hosts =
        |text: &str| load("", &[("TOLLBAR__ADMIN__HOSTS", text)]).map(|settings| settings.admin_hosts);
    assert_eq!(Settings::load(None, Variables::default()).unwrap().admin_hosts, [""; 0]);
    assert_eq!(hosts("Tollbar-0, ops.example.com,").unwrap(), ["tollbar-0", "ops.example.com"]);
    for refused in ["a b", "http://a", "a:9090", "*"] {
        assert!(
            hosts(refused).unwrap_err().contains("it must be names of hosts without a port"),
            "{refused}"
        );
    }
}
