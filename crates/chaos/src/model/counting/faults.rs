//! What goes wrong: processes die or hang, Redis loses what it knew. (Lost answers are steps of whoever waits for them.)

use super::{
    Action, Process, State,
    redis::{Batch, Redis, Whereabouts},
};

impl State {
    pub(super) fn fault_actions(&self, actions: &mut Vec<Action>) {
        for (process, is) in self.alive() {
            if self.left.crashes > 0 {
                actions.push(Action::Crash(process));
            }
            let author = self.ledger.author(is.author);
            if self.left.lapses > 0 && author.begun && !author.lapsed {
                actions.push(Action::Lapse(process));
            }
        }
        if self.left.losses > 0 {
            actions.push(if self.snapshot.is_none() { Action::Snapshot } else { Action::FallBack });
            actions.push(Action::Empty);
        }
    }

    /// The process is gone with all that it knew; what it sent may still arrive.
    pub(super) fn crash(&mut self, process: u8) {
        self.left.crashes -= 1;
        let author = self.process(process).author;
        *self.process_mut(process) = Process { is_alive: false, ..Process::new(author) };
        self.ledger.author_mut(author).lapsed = true;
        self.forget_addition(process);
        let mine = self.batches.iter().copied().filter(|batch| batch.process == Some(process));
        for batch in mine.collect::<Vec<_>>() {
            self.take(batch);
            if batch.at == Whereabouts::Sent {
                self.send(Batch { process: None, ..batch });
            }
        }
    }

    /// The process may be adopted from here on, though it lives.
    pub(super) fn lapse(&mut self, process: u8) {
        self.left.lapses -= 1;
        let author = self.process(process).author;
        self.ledger.author_mut(author).lapsed = true;
    }

    /// Redis restarts without what it wrote since the snapshot.
    pub(super) fn fall_back(&mut self) {
        self.left.losses -= 1;
        let stamp = self.redis.stamp + 1;
        if let Some(snapshot) = self.snapshot.take() {
            self.redis = Redis { stamp, ..*snapshot };
        }
    }

    /// Redis loses everything and does not restart.
    pub(super) fn empty(&mut self) {
        self.left.losses -= 1;
        self.redis = Redis::empty(self.redis.stamp);
    }
}
