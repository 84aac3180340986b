//! Servers keep their connections as long as they are named, and lose them afterwards.

use std::{num::NonZeroU16, sync::Weak};

use tokio::runtime::Handle;

use super::*;
use crate::{dialer::Dialer, keys::Keys, target::User};

/// Nobody listens there, and nothing here needs anybody to.
fn address(port: u16) -> Address {
    Address { host: "127.0.0.1".into(), port }
}

/// Of a cluster with four partitions.
fn topology() -> (Topology, Vec<Partition>) {
    let keys = Keys::new("tb", NonZeroU16::new(4).unwrap());
    let dialer = Dialer::new(&User::default(), None, None);
    let maker = Maker { dialer, runtime: Handle::current(), pool_size: 1, lanes: 0 };
    (Topology::new(maker, Some(keys.slots())), keys.partitions().collect())
}

/// Has these ports serve the partitions, in order.
fn divide(topology: &Topology, ports: [Option<u16>; 4]) -> bool {
    let slots = topology.slots.clone().unwrap();
    topology.divide(|slot| {
        let at = slots.iter().position(|other| *other == slot).unwrap();
        ports[at].map(address)
    })
}

fn ports(topology: &Topology, partitions: &[Partition]) -> Vec<Option<u16>> {
    partitions.iter().map(|at| topology.node_of(*at).map(|node| node.address.port)).collect()
}

#[tokio::test]
async fn a_server_that_stays_is_the_same_whatever_it_serves() {
    let (topology, at) = topology();
    assert_eq!((ports(&topology, &at), topology.serving().1), (vec![None; 4], true));
    assert!(divide(&topology, [Some(1), Some(1), Some(2), None]));
    assert!(!divide(&topology, [Some(1), Some(1), Some(2), None]), "nothing has changed");
    assert_eq!(ports(&topology, &at), [Some(1), Some(1), Some(2), None]);
    let (one, two) = (topology.node_of(at[0]).unwrap(), topology.node_of(at[2]).unwrap());
    assert!(divide(&topology, [Some(2), Some(2), Some(1), Some(1)]));
    assert!(Arc::ptr_eq(&one, &topology.node_of(at[2]).unwrap()));
    assert!(Arc::ptr_eq(&two, &topology.node_of(at[0]).unwrap()));
    assert_eq!(topology.serving().0.len(), 2);
    topology.close().await;
}

#[tokio::test]
async fn a_server_that_nobody_names_any_more_goes() {
    let (topology, at) = topology();
    divide(&topology, [Some(1), Some(1), Some(2), Some(2)]);
    let gone: Weak<Node> = Arc::downgrade(&topology.node_of(at[0]).unwrap());
    for _ in 0..2 {
        divide(&topology, [Some(2); 4]);
    }
    assert!(gone.upgrade().is_none());
    // A slot is moving to one that serves nothing yet: it is kept as long as calls are sent there.
    let asked = Arc::downgrade(&topology.named(&address(3)).unwrap());
    for _ in 0..3 {
        topology.named(&address(3));
        divide(&topology, [Some(2); 4]);
        assert!(asked.upgrade().is_some());
    }
    divide(&topology, [Some(2); 4]);
    assert!(asked.upgrade().is_none());
    // However many are named, few are kept.
    let named: Vec<_> =
        (10..30).map(|port| Arc::downgrade(&topology.named(&address(port)).unwrap())).collect();
    assert_eq!(named.iter().filter(|node| node.upgrade().is_some()).count(), OTHERS);
    topology.close().await;
}

#[tokio::test]
async fn a_server_is_believed_who_has_taken_a_partition_over_until_another_is_said_to_have_it() {
    let (topology, at) = topology();
    divide(&topology, [Some(1); 4]);
    let moved = topology.moved(at[1], &address(2)).unwrap();
    assert_eq!(ports(&topology, &at), [Some(1), Some(2), Some(1), Some(1)]);
    timeout(PATIENCE, topology.hinted()).await.expect("the watcher is told");
    assert!(!divide(&topology, [Some(1), Some(2), Some(1), Some(1)]));
    assert!(Arc::ptr_eq(&moved, &topology.node_of(at[1]).unwrap()));
    topology.close().await;
    assert!(topology.named(&address(9)).is_none() && topology.moved(at[0], &address(9)).is_none());
    assert!(!divide(&topology, [Some(3); 4]), "nothing is begun after the end");
}
