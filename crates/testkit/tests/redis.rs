//! A private Redis that is killed, hung, emptied and rolled back.
#![expect(clippy::unwrap_used, reason = "helpers of tests, where an unwrap is a failed test")]

use std::time::Duration;

use redis::{Client, Commands as _, Connection};
use tollbar_testkit::{PrivateRedis, RedisPrefix};

fn connect(url: &str) -> Connection {
    let limit = Duration::from_millis(300);
    let connection = Client::open(url).unwrap().get_connection_with_timeout(limit).unwrap();
    connection.set_read_timeout(Some(limit)).unwrap();
    connection
}

fn get(server: &PrivateRedis, key: &str) -> Option<String> {
    connect(&server.url()).get(key).unwrap()
}

fn set(server: &PrivateRedis, key: &str, value: &str) {
    connect(&server.url()).set::<_, _, ()>(key, value).unwrap();
}

#[test]
fn a_killed_server_in_memory_comes_back_empty_on_the_same_port() {
    let mut server = PrivateRedis::start();
    let url = server.url();
    set(&server, "a", "1");
    server.kill9();
    assert_eq!(server.process_id(), None);
    assert!(Client::open(url.as_str()).unwrap().get_connection().is_err());
    server.start_again();
    assert_eq!(server.url(), url);
    assert_eq!(get(&server, "a"), None);
}

#[test]
fn an_append_only_file_survives_a_kill() {
    let mut server = PrivateRedis::options().append_only().start();
    set(&server, "a", "1");
    server.kill9();
    server.start_again();
    assert_eq!(get(&server, "a").as_deref(), Some("1"));
}

#[test]
fn a_stopped_server_saves_what_it_was_told_to_save() {
    let mut server = PrivateRedis::options().save("3600 1").start();
    set(&server, "a", "1");
    server.stop();
    server.start_again();
    assert_eq!(get(&server, "a").as_deref(), Some("1"));
}

#[test]
fn a_state_is_put_back() {
    for options in [PrivateRedis::options(), PrivateRedis::options().append_only()] {
        let mut server = options.start();
        set(&server, "a", "old");
        let saved = server.save_state();
        set(&server, "a", "new");
        set(&server, "b", "new");
        server.restore_state(&saved);
        assert_eq!(get(&server, "a").as_deref(), Some("old"));
        assert_eq!(get(&server, "b"), None);
    }
}

#[test]
fn a_paused_server_hangs_and_goes_on() {
    let server = PrivateRedis::start();
    let mut connection = connect(&server.url());
    server.pause();
    assert!(connection.get::<_, Option<String>>("a").unwrap_err().is_timeout());
    server.resume();
    assert_eq!(get(&server, "a"), None);
}

#[test]
fn all_keys_are_flushed() {
    let server = PrivateRedis::start();
    set(&server, "a", "1");
    server.flush_all();
    assert_eq!(get(&server, "a"), None);
}

#[test]
fn a_full_server_refuses_writes() {
    let server = PrivateRedis::options().max_memory("1").start();
    let refused = server.query(&["SET", "a", "1"]).unwrap_err();
    assert!(tollbar_testkit::one_line(&refused).contains("OOM"), "{refused:?}");
}

#[test]
fn a_replica_follows() {
    let primary = PrivateRedis::start();
    let replica = PrivateRedis::options().replica_of(&primary).start();
    set(&primary, "a", "1");
    let copied = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(25));
        get(&replica, "a").is_some()
    });
    assert!(copied);
}

#[test]
fn a_wrong_directive_is_told_in_one_line() {
    let error = PrivateRedis::options().config("no-such-directive", "1").try_start().unwrap_err();
    let line = tollbar_testkit::one_line(&error);
    assert!(line.contains("no-such-directive") && !line.contains('\n'), "{line}");
}

#[test]
fn a_dropped_server_leaves_neither_process_nor_port() {
    let server = PrivateRedis::start();
    let (id, port) = (server.process_id().unwrap(), server.port());
    drop(server);
    assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
    std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
}

#[tokio::test]
async fn many_servers_start_at_once_inside_of_a_runtime() {
    let starts = (0..8).map(|_| tokio::task::spawn_blocking(PrivateRedis::start));
    let starts: Vec<_> = starts.collect();
    let mut ports = std::collections::BTreeSet::new();
    let mut servers = Vec::new();
    for start in starts {
        let server = start.await.unwrap();
        ports.insert(server.port());
        servers.push(server);
    }
    assert_eq!(ports.len(), 8);
}

#[test]
fn a_prefix_takes_its_own_keys_with_it_and_no_others() {
    let server = PrivateRedis::start();
    let (mine, other) = (RedisPrefix::on(&server.url()), RedisPrefix::on(&server.url()));
    for i in 0..2500 {
        set(&server, &format!("{mine}:{i}"), "1");
    }
    set(&server, &format!("{other}:1"), "1");
    drop(mine);
    let left: Vec<String> = connect(&server.url()).keys("*").unwrap();
    assert_eq!(left, [format!("{other}:1")]);
}

#[test]
fn a_prefix_on_a_dead_server_is_dropped_in_silence() {
    let mut server = PrivateRedis::start();
    let prefix = RedisPrefix::on(&server.url());
    server.kill9();
    drop(prefix);
}

#[test]
fn the_given_server_serves() {
    let prefix = RedisPrefix::new();
    let mut connection = connect(prefix.url());
    let key = format!("{prefix}:a");
    connection.set::<_, _, ()>(&key, "1").unwrap();
    drop(prefix);
    assert_eq!(connection.get::<_, Option<String>>(&key).unwrap(), None);
}
