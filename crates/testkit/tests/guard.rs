//! A test process that is killed leaves no server, no port and no file behind.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tollbar_testkit::{Certificates, PrivateCluster, PrivateSentinels};

/// Set in the process that is killed.
const HELD: &str = "TOLLBAR_TEST_HELD";

#[test]
fn a_killed_test_leaves_nothing_behind() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "engines_are_held", "--ignored", "--nocapture"]).env(HELD, "1");
    let mut held = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(held.stdout.take().unwrap()).lines().map(Result::unwrap);
    let lines: Vec<_> = lines.take_while(|line| line != "all").collect();
    held.kill().unwrap();
    held.wait().unwrap();
    let of = |name: &str| -> Vec<String> {
        let found = lines.iter().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        found.map(str::to_owned).collect()
    };
    let (processes, ports, files) = (of("process"), of("port"), of("file"));
    assert_eq!((processes.len(), ports.len(), files.len()), (8, 8, 1), "{lines:?}");
    let gone = || {
        processes.iter().all(|id| !Path::new("/proc").join(id).exists())
            && ports.iter().all(|port| TcpListener::bind(("127.0.0.1", port.parse().unwrap())).is_ok())
            && files.iter().all(|file| !Path::new(file).exists())
    };
    assert!(
        (0..200).any(|_| gone() || {
            sleep(Duration::from_millis(50));
            false
        }),
        "{lines:?}"
    );
}

#[test]
#[ignore = "the process that a_killed_test_leaves_nothing_behind kills"]
fn engines_are_held() {
    if std::env::var_os(HELD).is_none() {
        return;
    }
    let (certificates, cluster, sentinels) =
        (Certificates::new(), PrivateCluster::start(), PrivateSentinels::start());
    for server in [cluster.nodes(), sentinels.servers(), sentinels.sentinels()].into_iter().flatten() {
        println!("process {}\nport {}", server.process_id().unwrap(), server.port());
    }
    println!("file {}\nall", certificates.ca().parent().unwrap().display());
    sleep(Duration::from_secs(60));
}
