//! Slots of a private Redis Cluster that move from one node to another, if need be only half way.

use crate::cluster::PrivateCluster;
use crate::error::{EngineError, OrPanic as _};

/// A slot on its way: the node that had it answers for the keys that it still has, and with ASK for the others.
#[derive(Debug, Clone, Copy)]
pub struct SlotMove {
    slot: u16,
    from: usize,
    to: usize,
}

impl PrivateCluster {
    /// Moves a slot with its keys to another primary.
    #[track_caller]
    pub fn move_slot(&self, slot: u16, to: usize) {
        let moving = self.begin_move(slot, to);
        self.finish_move(moving);
    }

    /// Lets a slot begin to move to another primary; no key moves yet.
    #[track_caller]
    pub fn begin_move(&self, slot: u16, to: usize) -> SlotMove {
        let from = self.node_of(slot);
        assert_ne!(from, to, "the slot {slot} is there already");
        let number = slot.to_string();
        self.nodes()[to].run(&["CLUSTER", "SETSLOT", &number, "IMPORTING", &self.ids[from]]);
        self.nodes()[from].run(&["CLUSTER", "SETSLOT", &number, "MIGRATING", &self.ids[to]]);
        SlotMove { slot, from, to }
    }

    /// Moves up to so many keys of the slot, and tells how many.
    #[track_caller]
    pub fn move_some_keys(&self, moving: SlotMove, count: u32) -> usize {
        let failed = |error| EngineError::Redis("MIGRATE".into(), error);
        self.try_move_some_keys(moving, count).map_err(failed).or_panic()
    }

    /// Moves the keys that are left, and then the slot.
    #[track_caller]
    pub fn finish_move(&self, moving: SlotMove) {
        while self.move_some_keys(moving, 100) > 0 {}
        let SlotMove { slot, from, to } = moving;
        // The new owner first: it must not be without the slot when the old one sends clients there.
        let others = (0..self.nodes().len()).filter(|node| ![from, to].contains(node));
        let primaries = self.primaries();
        for node in [to, from].into_iter().chain(others.filter(|node| primaries.contains(node))) {
            self.nodes()[node].run(&["CLUSTER", "SETSLOT", &slot.to_string(), "NODE", &self.ids[to]]);
        }
    }

    fn try_move_some_keys(&self, moving: SlotMove, count: u32) -> redis::RedisResult<usize> {
        let (from, to) = (&self.nodes()[moving.from], &self.nodes()[moving.to]);
        let mut list = redis::cmd("CLUSTER");
        let keys: Vec<Vec<u8>> = from.ask(list.arg("GETKEYSINSLOT").arg(moving.slot).arg(count))?;
        if keys.is_empty() {
            return Ok(0);
        }
        let mut migrate = redis::cmd("MIGRATE");
        migrate.arg("127.0.0.1").arg(self.port_of(to)).arg("").arg(0).arg(5000);
        migrate.arg("AUTH").arg(to.password()).arg("KEYS").arg(&keys);
        from.ask::<()>(&migrate)?;
        Ok(keys.len())
    }
}
