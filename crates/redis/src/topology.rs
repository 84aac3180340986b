//! Which server has which keys: looked up by every call, kept right by a watcher and by what the servers themselves say.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use futures_util::future::join_all;
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    address::Address,
    connections::PATIENCE,
    keys::Partition,
    node::{Maker, Node},
};

/// Nodes that serve no partition as far as is known and are kept for whoever is sent there. More are not needed at once: a slot
/// moves to one of them.
const OTHERS: usize = 8;

/// The servers of one deployment.
#[derive(Debug)]
pub(crate) struct Topology {
    table: ArcSwap<Table>,
    /// Held by whoever changes the table.
    changing: Mutex<()>,
    /// The slot of each partition, where the deployment divides slots among servers.
    slots: Option<Box<[u16]>>,
    pub(crate) maker: Maker,
    /// Something is not as the table has it.
    hint: Notify,
    ended: CancellationToken,
    watcher: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Clone, Default)]
struct Table {
    /// The server of each partition, or the one of all; unknown as long as nobody has told.
    serving: Vec<Option<Arc<Node>>>,
    others: Vec<Arc<Node>>,
}

impl Table {
    fn find(&self, address: &Address) -> Option<&Arc<Node>> {
        self.serving.iter().flatten().chain(&self.others).find(|node| node.address == *address)
    }
}

impl Topology {
    /// Without any server yet. With slots, each partition may have a server of its own.
    pub(crate) fn new(maker: Maker, slots: Option<Box<[u16]>>) -> Self {
        let serving = vec![None; slots.as_ref().map_or(1, |slots| slots.len())];
        Self {
            table: ArcSwap::from_pointee(Table { serving, others: Vec::new() }),
            changing: Mutex::new(()),
            slots,
            maker,
            hint: Notify::new(),
            ended: CancellationToken::new(),
            watcher: Mutex::new(None),
        }
    }

    /// Whether slots are divided among servers, who then say where a slot is.
    pub(crate) fn is_divided(&self) -> bool {
        self.slots.is_some()
    }

    /// The server of a partition, if it is known.
    pub(crate) fn node_of(&self, at: Partition) -> Option<Arc<Node>> {
        self.table.load().serving[self.place(at)].clone()
    }

    /// The servers that serve any partition, each once, and whether one of all partitions is unknown.
    pub(crate) fn serving(&self) -> (Vec<Arc<Node>>, bool) {
        let table = self.table.load();
        (each_once(table.serving.iter().flatten()), table.serving.iter().any(Option::is_none))
    }

    /// The server at this address, which a server has named; nobody's after the end.
    pub(crate) fn named(&self, address: &Address) -> Option<Arc<Node>> {
        let known = self.table.load().find(address).cloned();
        known.or_else(|| self.change(|table| self.take_in(table, address))).inspect(|node| node.name())
    }

    /// The same where it has taken a partition over.
    pub(crate) fn moved(&self, at: Partition, address: &Address) -> Option<Arc<Node>> {
        let node = self.change(|table| {
            let node = self.take_in(table, address);
            let before = table.serving[self.place(at)].replace(Arc::clone(&node));
            // It may have others still, or again.
            if let Some(before) = before
                && table.find(&before.address).is_none()
            {
                table.others.push(before);
            }
            node
        });
        self.hint();
        node
    }

    fn take_in(&self, table: &mut Table, address: &Address) -> Arc<Node> {
        if let Some(known) = table.find(address) {
            return Arc::clone(known);
        }
        let node = self.maker.node(address);
        let too_many = (table.others.len() + 1).saturating_sub(OTHERS);
        table.others.drain(..too_many);
        table.others.push(Arc::clone(&node));
        node
    }

    /// Takes over who serves each slot, as far as it is said. Servers that stay keep their connections, and those that are gone lose
    /// them. Answers whether anything is different.
    pub(crate) fn divide(&self, owner: impl Fn(u16) -> Option<Address>) -> bool {
        let Some(slots) = &self.slots else { return false };
        let owners: Vec<_> = slots.iter().map(|slot| owner(*slot)).collect();
        self.serve(&owners, None)
    }

    /// Takes over who serves all.
    pub(crate) fn serve_all(&self, node: &Arc<Node>) -> bool {
        self.serve(&[Some(node.address.clone())], Some(node))
    }

    fn serve(&self, owners: &[Option<Address>], made: Option<&Arc<Node>>) -> bool {
        let different = self.change(|table| {
            let before = std::mem::take(&mut table.serving);
            let mut known = each_once(before.iter().flatten().chain(&table.others).chain(made));
            table.serving =
                owners.iter().map(|owner| self.take_or_make(&mut known, owner.as_ref()?)).collect();
            let serving = each_once(table.serving.iter().flatten());
            known.retain(|node| !serving.iter().any(|other| Arc::ptr_eq(other, node)) && node.was_named());
            table.others = known;
            before.iter().zip(&table.serving).any(|(before, after)| match (before, after) {
                (Some(before), Some(after)) => !Arc::ptr_eq(before, after),
                (before, after) => before.is_some() != after.is_some(),
            })
        });
        different.unwrap_or(false)
    }

    /// Changes the table, one at a time; not after the end.
    fn change<T>(&self, by: impl FnOnce(&mut Table) -> T) -> Option<T> {
        let _alone = lock(&self.changing);
        if self.ended.is_cancelled() {
            return None;
        }
        let mut table = Table::clone(&self.table.load());
        let done = by(&mut table);
        self.table.store(Arc::new(table));
        Some(done)
    }

    /// Of the nodes that are known the one at this address, or a new one among them.
    fn take_or_make(&self, known: &mut Vec<Arc<Node>>, address: &Address) -> Option<Arc<Node>> {
        if let Some(node) = known.iter().find(|node| node.address == *address) {
            return Some(Arc::clone(node));
        }
        known.push(self.maker.node(address));
        known.last().cloned()
    }

    fn place(&self, at: Partition) -> usize {
        if self.is_divided() { at.index() } else { 0 }
    }

    /// Wakes the watcher: a call has seen that something has changed.
    pub(crate) fn hint(&self) {
        self.hint.notify_one();
    }

    /// Until somebody has seen something.
    pub(crate) async fn hinted(&self) {
        self.hint.notified().await;
    }

    /// Ends whatever watches, and every later change.
    pub(crate) fn end(&self) -> &CancellationToken {
        &self.ended
    }

    /// Has a task keep the table right.
    pub(crate) fn watched_by(&self, watcher: JoinHandle<()>) {
        *lock(&self.watcher) = Some(watcher);
    }

    /// Waits until all servers are known and connected, but no longer than a start may take.
    pub(crate) async fn wait(&self) {
        let all_up = async {
            loop {
                let (nodes, has_gap) = self.serving();
                if !has_gap && nodes.iter().all(|node| node.is_up()) {
                    return;
                }
                sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        // Not yet connected is no error: it is tried on and on.
        let _ = timeout(PATIENCE, all_up).await;
    }

    /// Ends the watcher, and all connections in order.
    pub(crate) async fn close(&self) {
        self.ended.cancel();
        let watcher = lock(&self.watcher).take();
        if let Some(watcher) = watcher {
            let _ = watcher.await;
        }
        drop(lock(&self.changing));
        let (nodes, _) = self.serving();
        let others = self.table.load().others.clone();
        join_all(nodes.iter().chain(&others).map(|node| node.close())).await;
    }
}

fn each_once<'a>(nodes: impl Iterator<Item = &'a Arc<Node>>) -> Vec<Arc<Node>> {
    let mut once: Vec<Arc<Node>> = Vec::new();
    for node in nodes {
        if !once.iter().any(|known| Arc::ptr_eq(known, node)) {
            once.push(Arc::clone(node));
        }
    }
    once
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "topology_tests.rs"]
mod tests;
