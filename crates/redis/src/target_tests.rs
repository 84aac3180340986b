//! What URLs name, what they are refused for, and that none shows a password.

use super::*;

fn kind_of(url: &str) -> Kind {
    target_of(url).unwrap().kind
}

fn addresses(texts: &[&str]) -> Vec<Address> {
    texts.iter().map(|text| Address::of_text(text, 1).unwrap()).collect()
}

#[test]
fn names_a_server() {
    for (url, address) in [
        ("redis://localhost", "localhost:6379"),
        ("redis://127.0.0.1:7000/2", "127.0.0.1:7000"),
        ("rediss://[::1]:7000", "[::1]:7000"),
    ] {
        assert_eq!(kind_of(url), Kind::Server(Address::of_text(address, 1).unwrap()));
    }
    let target = target_of("redis://ada:p%40ss@h/3").unwrap();
    assert_eq!((target.user.name.as_deref(), target.user.password.as_deref()), (Some("ada"), Some("p@ss")));
    assert_eq!((target.database, target.tls), (Some(3), false));
    let target = target_of("rediss://:p@h").unwrap();
    assert_eq!((target.user.name, target.user.password.as_deref()), (None, Some("p")));
    assert!(target.tls && target.database.is_none());
}

#[test]
fn names_a_cluster_and_a_service_of_sentinels() {
    let seeds = addresses(&["a:6379", "b:7001", "[::1]:6379"]);
    assert_eq!(kind_of("redis-cluster://u:p@a?node=b:7001&node=[::1]"), Kind::Cluster(seeds));
    let sentinels = addresses(&["a:26379", "b:1"]);
    let user = User { name: Some("watch".into()), password: Some("p+ s".into()) };
    let service = "prime".to_owned();
    let url = "rediss-sentinel://:x@a/2?service=prime&node=b:1&sentinel_user=watch&sentinel_password=p+%20s";
    let target = target_of(url).unwrap();
    assert!(target.tls && target.database == Some(2));
    assert_eq!(target.kind, Kind::Sentinel { sentinels, service: service.clone(), user });
    let other = kind_of("redis-sentinel://a?sentinelServiceName=prime");
    assert_eq!(other, Kind::Sentinel { sentinels: addresses(&["a:26379"]), service, user: User::default() });
}

#[test]
fn says_what_is_wrong_and_never_the_password() {
    const SCHEMES: &str =
        "it must begin with redis://, redis-cluster:// or redis-sentinel://, or with rediss… for TLS";
    const SENTINEL: &str = "its query may say service=NAME, node=HOST[:PORT], sentinel_user=NAME and sentinel_password=PASSWORD, and nothing else";
    for (url, message) in [
        ("s3cret", "not a URL: relative URL without a base"),
        ("redis://:s3cret@host:x", "not a URL: invalid port number"),
        ("postgres://:s3cret@h", SCHEMES),
        ("redis-proxy://:s3cret@h", SCHEMES),
        ("redis:///1", "it names no host"),
        ("redis-cluster://?node=h", "it names no host"),
        ("redis://:s3cret@h/one", "its path is no number of a database (0 to 255)"),
        ("rediss://:s3cret@h/256", "its path is no number of a database (0 to 255)"),
        ("redis-sentinel://:s3cret@h/x?service=a", "its path is no number of a database (0 to 255)"),
        ("redis-cluster://:s3cret@h/0", "a cluster has no numbered databases: its path must be empty"),
        ("redis://:s3cret@h?db=1", "it must not have a query or a fragment"),
        ("redis-cluster://:s3cret@h#x", "it must not have a query or a fragment"),
        ("redis-cluster://h?password=s3cret", "its query may say node=HOST[:PORT], and nothing else"),
        ("redis-cluster://h?node=u:s3cret@h", "a node in its query is no HOST[:PORT]"),
        ("redis-sentinel://h?service=a&timeout=s3cret", SENTINEL),
        ("redis-sentinel://h?service=a&sentinelServiceName=b", "its query says service twice"),
        ("redis-sentinel://:s3cret@h", "it must name the service that the sentinels watch: ?service=NAME"),
        ("redis://:%ff@h", "its user name or password is not percent-encoded UTF-8"),
        (
            "redis-sentinel://h?service=a&sentinel_password=%ff",
            "its user name or password is not percent-encoded UTF-8",
        ),
    ] {
        assert_eq!(target_of(url).map(drop).unwrap_err().to_string(), message, "{url}");
    }
}

#[test]
fn is_shown_without_its_passwords() {
    assert_eq!(shown("redis://ada:s3cret@h:1/2"), "redis://ada:***@h:1/2");
    let sentinel = "redis-sentinel://:s3cret@h?service=a&sentinel_password=s3cret&s3cret=1&node=b:1";
    let shown_so = shown(sentinel);
    assert!(shown_so.starts_with("redis-sentinel://:***@h?service=a&") && !shown_so.contains("s3cret"));
    for unclear in ["s3cret", "redis:s3cret", "redis://:s3cret@h:port"] {
        assert_eq!(shown(unclear), "(not a URL)");
    }
    for (url, expected) in [
        ("redis://:p@[::1]/2", "[::1]:6379/2"),
        ("rediss-cluster://:p@a?node=b", "cluster of a:6379, b:6379 with TLS"),
        ("redis-sentinel://:p@a/1?service=s&sentinel_password=p", "s/1, named by the sentinels a:26379"),
    ] {
        assert_eq!(place(&target_of(url).unwrap()), expected);
    }
}
