//! What a process does with the epochs of a lapsed author: fence, ask, read, commit, settle.

use super::{
    Action, Counting, Rule, State,
    ledger::Adopted,
    process::{Adopt, Adoption, Process},
    state::{EPOCHS, USERS},
};

impl Counting {
    pub(super) fn adoption_actions(
        &self,
        state: &State,
        process: u8,
        is: &Process,
        actions: &mut Vec<Action>,
    ) {
        if let Some(Adoption { of, step, .. }) = is.adoption {
            actions.push(Action::Adopt { process, of, step });
            return;
        }
        let step = self.first_step();
        // The bound on epochs only holds a variant that adopts the same author for ever.
        let lapsed = (0..).zip(state.ledger.authors).filter(|(of, is_one)| {
            is_one.is_adoptable() && usize::from(is_one.flushed) < EPOCHS && *of != is.author
        });
        actions.extend(lapsed.map(|(of, _)| Action::Adopt { process, of, step }));
    }

    fn first_step(&self) -> Adopt {
        let fences_first = self.keeps(Rule::AskAfterFence) && self.keeps(Rule::Fence);
        if fences_first { Adopt::Fence { partition: 0 } } else { Adopt::AskFlushed }
    }

    pub(super) fn adopt(&self, state: &mut State, process: u8, of: u8, step: Adopt) {
        let begun = Adoption { of, step, flushed: 0, pending: [[0; USERS]; 2] };
        let mut adoption = state.process(process).adoption.unwrap_or(begun);
        let next = self.take_step(state, &mut adoption);
        state.process_mut(process).adoption = next.map(|step| {
            adoption.step = step;
            adoption
        });
    }

    /// Takes the step; answers the one after it.
    fn take_step(&self, state: &mut State, adoption: &mut Adoption) -> Option<Adopt> {
        let (of, flushed) = (adoption.of, adoption.flushed);
        let is_last = |partition| partition + 1 == self.size.users;
        match adoption.step {
            Adopt::Fence { partition } => {
                state.redis.fence(of, partition);
                Some(match partition {
                    _ if !is_last(partition) => Adopt::Fence { partition: partition + 1 },
                    _ if self.keeps(Rule::AskAfterFence) => Adopt::AskFlushed,
                    _ => Adopt::ReadPending { partition: 0 },
                })
            }
            Adopt::AskFlushed => {
                adoption.flushed = state.ledger.author(of).flushed;
                let is_fenced = self.keeps(Rule::AskAfterFence) || !self.keeps(Rule::Fence);
                Some(if is_fenced {
                    Adopt::ReadPending { partition: 0 }
                } else {
                    Adopt::Fence { partition: 0 }
                })
            }
            Adopt::ReadPending { partition } => {
                for (epoch, pending) in self.epochs_read(flushed).zip(&mut adoption.pending) {
                    pending[usize::from(partition)] = state.redis.pending_of(of, epoch, partition);
                }
                Some(if is_last(partition) {
                    Adopt::Commit
                } else {
                    Adopt::ReadPending { partition: partition + 1 }
                })
            }
            Adopt::Commit => {
                let epochs: Vec<_> = self.epochs_read(flushed).zip(adoption.pending).collect();
                Some(Adopt::Settle(state.ledger.adopt(of, &epochs, self.broken)))
            }
            Adopt::Settle(totals) => {
                state.redis.raise(totals);
                for epoch in self.epochs_read(flushed) {
                    state.redis.forget(of, epoch);
                }
                if self.keeps(Rule::AdoptionTakesMark) {
                    state.redis.take_mark();
                }
                Some(Adopt::Leave)
            }
            Adopt::Leave => {
                if self.keeps(Rule::AdoptionCloses) {
                    state.ledger.author_mut(of).adopted = Adopted::Settled;
                }
                None
            }
        }
    }

    /// An author has a closed epoch and an open one at most.
    fn epochs_read(&self, flushed: u8) -> std::ops::RangeInclusive<u8> {
        flushed + 1..=flushed + if self.keeps(Rule::TwoEpochs) { 2 } else { 1 }
    }
}
