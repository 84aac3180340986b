//! `OneTrip` on Redis: calls that wait at the same time share one script.

use std::time::Duration;

use async_trait::async_trait;
use metrics::histogram;
use tokio::{sync::oneshot, time::timeout};
use tollbar_core::{
    StoreError, Trip,
    domain::{Decision, EpochId, Policy, SessionToken, Subject, UserId},
    ports::{Clock as _, Crossing, OneTrip, SystemClock},
};

use crate::{
    batch::{self, Call},
    engine::Sending::Once,
    lanes::{Answer, Full, Turn, Waiting},
    live::RedisLive,
    reply::Misshapen,
    scripts::ADMIT,
};

const ADMIT_CALL: &str = "admit a call";

#[async_trait]
impl OneTrip for RedisLive {
    async fn admit(
        &self,
        token: &SessionToken,
        policy: &Policy,
        epoch: EpochId,
    ) -> Result<Crossing, StoreError> {
        self.cross(Call::of(token, policy, epoch)).await
    }

    async fn charge(&self, user: UserId, policy: &Policy, epoch: EpochId) -> Result<Decision, StoreError> {
        let call = Call { who: user.into(), session: None, epoch: Some(epoch), policy: policy.clone() };
        self.decided(call).await
    }

    async fn limit(&self, subject: Subject, policy: &Policy) -> Result<Decision, StoreError> {
        self.decided(Call { who: subject, session: None, epoch: None, policy: policy.clone() }).await
    }
}

impl RedisLive {
    /// A call whose session is not asked about.
    async fn decided(&self, call: Call) -> Result<Decision, StoreError> {
        match self.cross(call).await? {
            Crossing::Admitted(decision) | Crossing::Limited(decision) => Ok(decision),
            Crossing::Dead | Crossing::Unknown => Err(Misshapen::of(ADMIT_CALL)(Misshapen)),
        }
    }

    async fn cross(&self, call: Call) -> Answer {
        // Each caller has a span of its own for the trip that they share: whether it is kept is decided by each one's trace.
        let trip = Trip::begin("redis", ADMIT_CALL);
        let answer = self.join(call, trip.clone()).await;
        trip.ended(&answer);
        answer
    }

    async fn join(&self, call: Call, trip: Trip) -> Answer {
        let (lanes, deadline) = (&self.shared.lanes, self.shared.engine.deadline());
        let at = lanes.choose(self.shared.keys.partition(call.who));
        let (answer, answered) = oneshot::channel();
        let until = SystemClock.steady() + deadline;
        let turn = lanes.push(at, Waiting { call, until, trip, answer });
        if let Some(turn) = turn.map_err(|Full| StoreError::overloaded(ADMIT_CALL))? {
            // A task of its own, so that a caller who leaves does not take the others with it.
            // It holds the turn from the start: a runtime that ends before the task begins gives the lane free, too.
            let live = self.clone();
            tokio::spawn(async move { live.drive(at, turn).await });
        }
        match timeout(deadline, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(StoreError::transient(ADMIT_CALL, "the batch was dropped")),
            Err(_) => Err(StoreError::deadline(ADMIT_CALL, deadline)),
        }
    }

    async fn drive(&self, at: usize, mut turn: Turn) {
        while let Some(batch) = turn.next_batch() {
            self.send(batch, at).await;
        }
    }

    /// Sends a batch once. A lost answer is an unknown outcome for each of its callers.
    async fn send(&self, batch: Vec<Waiting>, lane: usize) {
        let (now, deadline) = (SystemClock.steady(), self.shared.engine.deadline());
        // A batch has as long as its first: whoever has waited so long that little is left would take the others' time, too.
        let (batch, overdue): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|waiting| waiting.until >= now + deadline / 4);
        for waiting in overdue {
            let _ = waiting.answer.send(Err(StoreError::deadline(ADMIT_CALL, deadline)));
        }
        let Some(first) = batch.first() else { return };
        let within = (lane, Duration::from_micros(first.until.as_micros() - now.as_micros()));
        #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
        histogram!("tollbar_gate_batch_calls").record(batch.len() as f64);
        for waiting in &batch {
            waiting.trip.is_shared_by(batch.len());
        }
        let calls: Vec<&Call> = batch.iter().map(|waiting| &waiting.call).collect();
        // Where it matters which partition it is, all of them are of the same.
        let Some(at) = calls.first().map(|call| self.shared.keys.partition(call.who)) else { return };
        let arguments = batch::arguments(&calls, &self.shared.keys, |names| self.timed(names.all()));
        let answered = self.shared.engine.run_in(within, at, ADMIT_CALL, Once, &ADMIT, arguments).await;
        #[cfg(feature = "sabotage")]
        let answered = if answered.is_err() && tollbar_core::sabotage::is_chosen("resend-lost-reply") {
            let again = batch::arguments(&calls, &self.shared.keys, |names| self.timed(names.all()));
            self.shared.engine.run_in((lane, deadline), at, ADMIT_CALL, Once, &ADMIT, again).await
        } else {
            answered
        };
        let answers = answered.and_then(|answer| {
            batch::answers(&answer, &calls, ADMIT_CALL, deadline).map_err(Misshapen::of(ADMIT_CALL))
        });
        // A caller that has left needs no answer.
        match answers {
            Ok(answers) => {
                for (waiting, answer) in batch.into_iter().zip(answers) {
                    let _ = waiting.answer.send(answer);
                }
            }
            Err(error) => {
                for waiting in batch {
                    let _ = waiting.answer.send(Err(error.clone()));
                }
            }
        }
    }
}
