//! Private sentinels, whose primary dies and comes back.

use redis::Value;
use tollbar_testkit::{Certificates, PrivateSentinels};

fn get(all: &PrivateSentinels, server: usize) -> Value {
    all.servers()[server].run(&["GET", "a"])
}

#[test]
fn a_replica_takes_over_from_a_dead_primary() {
    let mut all = PrivateSentinels::start();
    assert_eq!(all.primary(), 0);
    all.servers()[0].run(&["SET", "a", "1"]);
    all.servers()[0].run(&["WAIT", "1", "5000"]);
    let killed = all.kill_primary();
    let next = all.wait_for_another(killed);
    assert_eq!((killed, next, all.primary()), (0, 1, 1));
    assert_eq!(get(&all, 1), Value::BulkString(b"1".to_vec()));

    all.servers()[1].run(&["SET", "a", "2"]);
    all.start_again(killed);
    all.wait_until_follows(killed);
    assert_eq!(all.primary(), 1);
    assert_eq!(get(&all, killed), Value::BulkString(b"2".to_vec()));
}

#[test]
fn a_primary_hands_over_on_demand() {
    let mut all = PrivateSentinels::options().replicas(2).start();
    all.kill_sentinel(2);
    let next = all.fail_over();
    assert_ne!(next, 0);
    all.wait_until_follows(0);
    all.servers()[next].run(&["SET", "a", "1"]);
    let url = all.url();
    assert!(
        url.starts_with("redis-sentinel://:") && url.contains("?service=tollbar-test&node=127.0.0.1:"),
        "{url}"
    );
}

#[test]
fn servers_and_sentinels_may_talk_tls() {
    let certificates = Certificates::new();
    let mut all = PrivateSentinels::options().tls(&certificates).start();
    assert!(all.url().starts_with("rediss-sentinel://:"), "{}", all.url());
    let killed = all.kill_primary();
    assert_eq!(all.wait_for_another(killed), 1);
}
