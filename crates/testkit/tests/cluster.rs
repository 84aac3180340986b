//! A private Redis Cluster whose slots move and whose nodes die.
#![expect(clippy::unwrap_used, reason = "helpers of tests, where an unwrap is a failed test")]

mod support;

use redis::Value;
use support::{client, over, say, tcp};
use tollbar_testkit::{Certificates, PrivateCluster, PrivateRedis};

fn keys(node: &PrivateRedis) -> i64 {
    match node.run(&["DBSIZE"]) {
        Value::Int(count) => count,
        other => panic!("{other:?}"),
    }
}

/// The first word of an error.
fn refusal(node: &PrivateRedis, words: &[&str]) -> String {
    let error = node.query(words).unwrap_err();
    let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<redis::RedisError>());
    cause.and_then(redis::RedisError::code).unwrap_or_default().to_owned()
}

#[test]
fn a_slot_moves_with_its_keys_also_in_steps() {
    let cluster = PrivateCluster::start();
    let slot = cluster.slot_of("{a}");
    let (from, to) = (cluster.node_of(slot), (cluster.node_of(slot) + 1) % 3);
    let nodes = cluster.nodes();
    for key in 0..10 {
        nodes[from].run(&["SET", &format!("{{a}}{key}"), "1"]);
    }
    let moving = cluster.begin_move(slot, to);
    assert_eq!(cluster.move_some_keys(moving, 4), 4);
    assert_eq!((keys(&nodes[from]), keys(&nodes[to])), (6, 4));
    assert_eq!(refusal(&nodes[from], &["GET", "{a}new"]), "ASK");
    let both: Vec<_> = (0..10).map(|key| format!("{{a}}{key}")).collect();
    let both: Vec<_> = ["MGET"].into_iter().chain(both.iter().map(String::as_str)).collect();
    assert_eq!(refusal(&nodes[from], &both), "TRYAGAIN");
    assert_eq!(cluster.node_of(slot), from);

    cluster.finish_move(moving);
    assert_eq!((keys(&nodes[from]), keys(&nodes[to])), (0, 10));
    assert_eq!(cluster.node_of(slot), to);
    assert_eq!(refusal(&nodes[from], &["GET", "{a}1"]), "MOVED");

    cluster.move_slot(slot, from);
    assert_eq!(keys(&nodes[from]), 10);
    cluster.flush_all();
    assert_eq!(keys(&nodes[from]), 0);
}

#[test]
fn a_replica_takes_over_from_a_dead_primary_and_on_demand() {
    let mut cluster = PrivateCluster::options().replicas().start();
    assert_eq!(cluster.nodes().len(), 6);
    let slot = cluster.slot_of("a");
    let first = cluster.node_of(slot);
    cluster.nodes()[first].run(&["SET", "a", "1"]);
    cluster.nodes()[first].run(&["WAIT", "1", "5000"]);
    cluster.kill9(first);
    assert_eq!(cluster.node_of(slot), first + 3);
    assert_eq!(cluster.nodes()[first + 3].run(&["GET", "a"]), Value::BulkString(b"1".to_vec()));

    cluster.start_again(first);
    cluster.wait_until_ok();
    assert_eq!(cluster.node_of(slot), first + 3);
    cluster.wait_until_follows(first);
    cluster.fail_over(first);
    assert_eq!(cluster.node_of(slot), first);
    assert_eq!(cluster.nodes()[first].run(&["GET", "a"]), Value::BulkString(b"1".to_vec()));
}

#[test]
fn the_nodes_may_talk_tls() {
    let certificates = Certificates::new();
    let cluster = PrivateCluster::options().tls(&certificates).start();
    assert!(cluster.url().starts_with("rediss-cluster://:"), "{}", cluster.url());
    let slot = cluster.slot_of("a");
    let owner = &cluster.nodes()[cluster.node_of(slot)];
    let other = &cluster.nodes()[(cluster.node_of(slot) + 1) % 3];
    // Whoever came by TLS is sent to a port for TLS.
    let mut stream = over(tcp(other.tls_port()), client(&certificates.ca(), None), "127.0.0.1").unwrap();
    let password = cluster.url().split(':').nth(2).unwrap().split('@').next().unwrap().to_owned();
    assert_eq!(say(&mut stream, format!("AUTH {password}\r\n").as_bytes()).unwrap(), "+OK\r\n");
    let moved = say(&mut stream, b"GET a\r\n").unwrap();
    assert_eq!(moved, format!("-MOVED {slot} 127.0.0.1:{}\r\n", owner.tls_port()));
    owner.run(&["SET", "a", "1"]);
    cluster.move_slot(slot, (cluster.node_of(slot) + 1) % 3);
    assert_eq!(say(&mut stream, b"GET a\r\n").unwrap(), "$1\r\n1\r\n");
}

#[test]
fn the_url_names_all_nodes() {
    let cluster = PrivateCluster::start();
    let ports: Vec<_> = cluster.nodes().iter().map(PrivateRedis::port).collect();
    let rest = format!("@127.0.0.1:{}?node=127.0.0.1:{}&node=127.0.0.1:{}", ports[0], ports[1], ports[2]);
    assert!(
        cluster.url().starts_with("redis-cluster://:") && cluster.url().ends_with(&rest),
        "{}",
        cluster.url()
    );
}
