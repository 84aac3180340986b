//! What a process does with its own epochs: admit, close, drain, add, settle; and begin anew where it was adopted.

use super::{
    Action, Counting, Rule, State,
    ledger::Addition,
    process::{Closed, Epoch, Flush, Process},
    redis::{Batch, Settlement, Whereabouts},
    state::{USERS, add},
};

impl Counting {
    pub(super) fn author_actions(&self, state: &State, process: u8, is: &Process, actions: &mut Vec<Action>) {
        if process >= self.size.callers {
            return;
        }
        let has_begun = state.ledger.author(is.author).begun;
        if !has_begun {
            actions.push(Action::Begin(process));
        }
        if state.left.calls > 0 && (has_begun || !self.keeps(Rule::BeginFirst)) {
            for user in 0..self.size.users {
                actions.push(Action::Call { process, user });
                if self.size.without_redis {
                    actions.push(Action::CallWithoutRedis { process, user });
                }
            }
        }
        match is.closed {
            None if is.open.sums != [0; USERS] || state.is_in_flight(is, is.open.number) => {
                actions.push(Action::Close(process));
            }
            None => {}
            Some(closed) => self.flush_actions(state, process, is, closed, actions),
        }
    }

    fn flush_actions(
        &self,
        state: &State,
        process: u8,
        is: &Process,
        closed: Closed,
        actions: &mut Vec<Action>,
    ) {
        match closed.step {
            Flush::Draining
                if self.keeps(Rule::Drain)
                    && !is.is_awaited()
                    && state.is_in_flight(is, closed.epoch.number) => {}
            Flush::Draining => actions.push(Action::Add(process)),
            Flush::Adding => {}
            Flush::Answered(_) => actions.push(Action::HearAdded(process)),
            Flush::Settling(_) => {
                actions.push(Action::Settle(process));
                if state.left.outages > 0 {
                    actions.push(Action::FailToSettle(process));
                }
            }
        }
        if state.left.lost_answers > 0 && matches!(closed.step, Flush::Adding | Flush::Answered(_)) {
            actions.push(Action::GiveUpAdded(process));
        }
    }

    pub(super) fn call_without_redis(&self, state: &mut State, process: u8, user: u8) {
        state.count_sent(user);
        self.enter_sums(state, process, user, Rule::AcknowledgeLast);
    }

    /// The same call once more, this time without Redis, which may have executed it already.
    pub(super) fn take_anyway(&self, state: &mut State, batch: Batch) {
        state.left.lost_answers -= 1;
        state.take(batch);
        let is_of_another = batch.process.is_none_or(|process| state.process(process).author != batch.author);
        if is_of_another && self.keeps(Rule::AnywayUnderOneName) {
            return;
        }
        if batch.at == Whereabouts::Sent && !self.keeps(Rule::NotLate) {
            state.send(Batch { process: None, ..batch });
        }
        if let Some(process) = batch.process {
            self.enter_sums(state, process, batch.user, Rule::AcknowledgeLast);
        }
    }

    /// Counts a call in the open epoch; it is acknowledged with that, where the rule is kept.
    fn enter_sums(&self, state: &mut State, process: u8, user: u8, rule: Rule) {
        let (open, user) = (&mut state.process_mut(process).open, usize::from(user));
        open.sums[user] += 1;
        if self.keeps(rule) {
            open.waiting[user] += 1;
        } else {
            state.acknowledged[user] += 1;
        }
    }

    pub(super) fn hear(&self, state: &mut State, batch: Batch) {
        state.take(batch);
        let (Some(process), user) = (batch.process, usize::from(batch.user)) else { return };
        let is = state.process_mut(process);
        match batch.at {
            // Where the author is another one meanwhile, the call is in no epoch that counts.
            Whereabouts::Admitted if batch.is_late && is.author != batch.author => {}
            Whereabouts::Admitted if batch.is_late => {
                self.enter_sums(state, process, batch.user, Rule::LateWait);
            }
            Whereabouts::Admitted => {
                // Where its epoch is gone the call is pending still, and counted by whoever adopts its author.
                if let Some(epoch) = is.epoch_mut(batch.author, batch.epoch) {
                    epoch.sums[user] += 1;
                }
                state.acknowledged[user] += 1;
            }
            Whereabouts::Fenced if is.author == batch.author => self.begin_anew(state, process),
            Whereabouts::Fenced | Whereabouts::Sent => {}
        }
    }

    pub(super) fn give_up(&self, state: &mut State, batch: Batch) {
        state.left.lost_answers -= 1;
        state.take(batch);
        if batch.at == Whereabouts::Sent {
            state.send(Batch { process: None, ..batch });
        }
        if !self.keeps(Rule::SendOnce)
            && let Some(process) = batch.process
        {
            let Process { author, open, .. } = *state.process(process);
            state.send(Batch { author, epoch: open.number, at: Whereabouts::Sent, is_late: false, ..batch });
        }
    }

    pub(super) fn add(&self, state: &mut State, process: u8) {
        let Process { author, closed: Some(closed), .. } = *state.process(process) else { return };
        let Epoch { number: epoch, sums, .. } = closed.epoch;
        if !self.keeps(Rule::AddEmpty) && sums == [0; USERS] {
            state.process_mut(process).closed = None;
            return;
        }
        if !self.keeps(Rule::ForgetLast) {
            state.redis.forget(author, epoch);
        }
        if self.keeps(Rule::Drain) {
            state.leave_behind(author, epoch);
        }
        state.send_addition(Addition { author, epoch, sums, process: Some(process) });
        state.flush(process, Flush::Adding);
    }

    pub(super) fn commit(&self, state: &mut State, addition: Addition) {
        state.take_addition(addition);
        let answer = state.ledger.add(addition, self.broken);
        if let Some(process) = addition.process {
            state.flush(process, Flush::Answered(answer));
        }
    }

    pub(super) fn hear_added(&self, state: &mut State, process: u8) {
        let Some(Closed { epoch, step: Flush::Answered(answer) }) = state.process(process).closed else {
            return;
        };
        match answer {
            Some(totals) => {
                add(&mut state.acknowledged, epoch.waiting);
                state.flush(process, Flush::Settling(totals));
            }
            None => self.begin_anew(state, process),
        }
    }

    pub(super) fn give_up_added(&self, state: &mut State, process: u8) {
        state.left.lost_answers -= 1;
        state.forget_addition(process);
        let is = state.process_mut(process);
        let Some(closed) = is.closed.as_mut() else { return };
        if self.keeps(Rule::NeverMerge) {
            closed.step = Flush::Draining;
        } else {
            add(&mut is.open.sums, closed.epoch.sums);
            add(&mut is.open.waiting, closed.epoch.waiting);
            is.closed = None;
        }
    }

    pub(super) fn fail_to_settle(&self, state: &mut State, process: u8) {
        state.left.outages -= 1;
        if let Some(settlement) = state.take_settlement(process) {
            state.send_settlement(settlement);
        }
        state.process_mut(process).must_raise |= self.keeps(Rule::SettleOrRaise);
    }

    /// The author was fenced or closed: a new one begins. Whoever waits for the ledger is answered with an error.
    fn begin_anew(&self, state: &mut State, process: u8) {
        state.forget_addition(process);
        let next = state.processes.iter().map(|is| is.author).max().unwrap_or_default() + 1;
        let is = state.process_mut(process);
        let (old, closed, mut sums) = (is.author, is.closed.take(), is.open.sums);
        is.author = next;
        is.open = Epoch::new(1);
        if !self.keeps(Rule::DropSums) {
            add(&mut sums, closed.map_or([0; USERS], |closed| closed.epoch.sums));
            is.open.sums = sums;
        }
        // What is in the ledger has been acknowledged, and nobody else knows that it is not settled.
        is.must_raise |= self.keeps(Rule::SettleOrRaise)
            && matches!(closed, Some(Closed { step: Flush::Settling(_), .. }));
        // Its claim is now that of the new author.
        state.ledger.author_mut(old).lapsed = true;
    }
}

impl State {
    pub(super) fn begin(&mut self, process: u8) {
        let author = self.process(process).author;
        self.ledger.author_mut(author).begun = true;
    }

    pub(super) fn call(&mut self, process: u8, user: u8) {
        self.count_sent(user);
        let Process { author, open, .. } = *self.process(process);
        self.send(Batch {
            author,
            epoch: open.number,
            user,
            at: Whereabouts::Sent,
            is_late: false,
            process: Some(process),
        });
    }

    pub(super) fn close(&mut self, process: u8) {
        let is = self.process_mut(process);
        is.closed = Some(Closed { epoch: is.open, step: Flush::Draining });
        is.open = Epoch::new(is.open.number + 1);
    }

    pub(super) fn settle(&mut self, process: u8) {
        if let Some(settlement) = self.take_settlement(process) {
            self.redis.settle(settlement);
        }
    }

    /// What a process has to settle; it has no closed epoch afterwards.
    fn take_settlement(&mut self, process: u8) -> Option<Settlement> {
        let Process { author, closed, .. } = self.process_mut(process);
        let Closed { epoch, step: Flush::Settling(totals) } = closed.take()? else { return None };
        Some(Settlement { author: *author, epoch: epoch.number, totals })
    }

    fn count_sent(&mut self, user: u8) {
        self.left.calls -= 1;
        self.sent[usize::from(user)] += 1;
    }

    fn flush(&mut self, process: u8, step: Flush) {
        if let Some(closed) = &mut self.process_mut(process).closed {
            closed.step = step;
        }
    }
}
