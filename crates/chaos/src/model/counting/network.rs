//! What is on its way: batches to Redis and back, transactions to the ledger. It arrives at any time, also after its sender died.

use super::{
    Action, State,
    ledger::Addition,
    process::Process,
    redis::{Batch, Settlement, Whereabouts},
};

impl State {
    pub(super) fn network_actions(&self, without_redis: bool, actions: &mut Vec<Action>) {
        let mut last = None;
        // Two that are alike are one: it does not matter which arrives.
        for &batch in self.batches.iter().filter(|batch| last.replace(**batch) != Some(**batch)) {
            actions.push(match batch.at {
                Whereabouts::Sent => Action::Execute(batch),
                Whereabouts::Admitted | Whereabouts::Fenced => Action::Hear(batch),
            });
            if batch.process.is_some() && self.left.lost_answers > 0 {
                actions.push(Action::GiveUp(batch));
                if without_redis {
                    actions.push(Action::TakeAnyway(batch));
                }
            }
        }
        let mut last = None;
        let different = self.additions.iter().filter(|addition| last.replace(**addition) != Some(**addition));
        actions.extend(different.map(|addition| Action::Commit(*addition)));
        actions.extend(self.settlements.iter().map(|settlement| Action::SettleLate(*settlement)));
    }

    pub(super) fn execute(&mut self, batch: Batch) {
        self.take(batch);
        let at = self.redis.admit(batch);
        if batch.process.is_some() {
            self.send(Batch { at, ..batch });
        }
    }

    /// Whether a batch of this epoch may still be answered.
    pub(super) fn is_in_flight(&self, is: &Process, epoch: u8) -> bool {
        let mut batches = self.batches.iter();
        batches.any(|batch| batch.process.is_some() && batch.author == is.author && batch.epoch == epoch)
    }

    /// The ledger is told of an epoch: what is in flight of it is late.
    pub(super) fn leave_behind(&mut self, author: u8, epoch: u8) {
        for batch in &mut self.batches {
            batch.is_late |= batch.process.is_some() && batch.author == author && batch.epoch == epoch;
        }
        self.batches.sort_unstable();
    }

    /// Puts a batch on its way.
    pub(super) fn send(&mut self, batch: Batch) {
        let at = self.batches.partition_point(|other| *other < batch);
        self.batches.insert(at, batch);
    }

    /// Takes a batch from its way.
    pub(super) fn take(&mut self, batch: Batch) {
        if let Some(at) = self.batches.iter().position(|other| *other == batch) {
            self.batches.remove(at);
        }
    }

    /// Puts a transaction on its way.
    pub(super) fn send_addition(&mut self, addition: Addition) {
        let at = self.additions.partition_point(|other| *other < addition);
        self.additions.insert(at, addition);
    }

    /// Takes a transaction from its way.
    pub(super) fn take_addition(&mut self, addition: Addition) {
        if let Some(at) = self.additions.iter().position(|other| *other == addition) {
            self.additions.remove(at);
        }
    }

    /// Leaves a settlement on its way, for which nobody waits any more.
    pub(super) fn send_settlement(&mut self, settlement: Settlement) {
        let at = self.settlements.partition_point(|other| *other < settlement);
        self.settlements.insert(at, settlement);
    }

    pub(super) fn settle_late(&mut self, settlement: Settlement) {
        self.settlements.retain(|other| *other != settlement);
        self.redis.settle(settlement);
    }

    /// Nobody waits for this process' transaction any more; it may be committed all the same.
    pub(super) fn forget_addition(&mut self, process: u8) {
        let mine = self.additions.iter().copied().find(|addition| addition.process == Some(process));
        if let Some(addition) = mine {
            self.take_addition(addition);
            self.send_addition(Addition { process: None, ..addition });
        }
    }
}
