//! The claim of this process on its database: entered at the start, renewed while it runs, given back at the end.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tollbar_core::{
    domain::Incarnation,
    gate::LiveProcesses,
    ports::{LeaseError, ProcessLease, Sharing},
};
use tracing::{error, info, warn};

use crate::start_error::{StartError, claim_error};

const RETRY: Duration = Duration::from_millis(250);

/// A claim that is held.
pub(crate) struct Claim {
    lease: Arc<dyn ProcessLease>,
    process: Incarnation,
    sharing: Sharing,
    ttl: Duration,
    /// How many processes there are, as the last renewal found.
    processes: LiveProcesses,
}

impl Claim {
    /// Enters this process, waiting as long as the claim of one that was killed `outlives` it.
    pub(crate) async fn enter(
        lease: Arc<dyn ProcessLease>,
        process: Incarnation,
        sharing: Sharing,
        ttl: Duration,
        outlives: Duration,
        processes: LiveProcesses,
    ) -> Result<Self, StartError> {
        let claim = Self { lease, process, sharing, ttl, processes };
        match claim.hold().await {
            Err(LeaseError::Taken) if !outlives.is_zero() => {
                info!(?outlives, "another process uses this database: waiting for the end of its claim");
                let entered = timeout(outlives, claim.persist()).await.unwrap_or(Err(LeaseError::Taken));
                // Once more: the other's claim may have ended with the wait.
                let entered = match entered {
                    Err(LeaseError::Taken) => claim.hold().await,
                    other => other,
                };
                entered.map_err(claim_error)?;
            }
            entered => entered.map_err(claim_error)?,
        }
        Ok(claim)
    }

    async fn persist(&self) -> Result<(), LeaseError> {
        loop {
            sleep(RETRY).await;
            match self.hold().await {
                Err(LeaseError::Taken) => {}
                other => return other,
            }
        }
    }

    async fn hold(&self) -> Result<(), LeaseError> {
        self.processes.set(self.lease.hold(self.process, self.sharing, self.ttl).await?);
        Ok(())
    }

    /// Renews the claim in the background from now on.
    pub(crate) fn kept(self) -> KeptClaim {
        let (stop, lost) = (CancellationToken::new(), CancellationToken::new());
        let keeping = {
            let (stop, lost) = (stop.clone(), lost.clone());
            tokio::spawn(async move {
                self.keep(&stop, &lost).await;
                self
            })
        };
        KeptClaim { keeping, stop, lost }
    }

    /// Renews the claim until `stop`; cancels `lost` where another process has taken the database over.
    async fn keep(&self, stop: &CancellationToken, lost: &CancellationToken) {
        while stop.run_until_cancelled(sleep(self.ttl / 3)).await.is_some() {
            match self.hold().await {
                Ok(()) => {}
                // While the database is away nobody else can enter either.
                Err(LeaseError::Store(error)) => warn!(?error, "the claim on the database was not renewed"),
                Err(LeaseError::Taken) => {
                    error!("another process has taken this database over");
                    lost.cancel();
                    return;
                }
            }
        }
    }

    /// Gives the claim back, so that the next process need not wait for its end.
    async fn release(&self) {
        if let Err(error) = self.lease.release(self.process).await {
            warn!(?error, "the claim on the database ends by itself only");
        }
    }
}

/// A claim that a task renews.
pub(crate) struct KeptClaim {
    keeping: JoinHandle<Claim>,
    stop: CancellationToken,
    /// Cancelled when another process has taken the database over.
    pub(crate) lost: CancellationToken,
}

impl KeptClaim {
    /// Ends the task and gives the claim back, if it is still ours.
    pub(crate) async fn end(self) {
        self.stop.cancel();
        match self.keeping.await {
            Ok(claim) if !self.lost.is_cancelled() => claim.release().await,
            Ok(_) => {}
            Err(panic) => error!(%panic, "the claim on the database was not kept"),
        }
    }
}

#[cfg(test)]
mod tests {
    use tollbar_core::{StoreError, ports::MockProcessLease};

    use super::*;

    const TAKEN: fn() -> Result<u32, LeaseError> = || Err(LeaseError::Taken);
    const DOWN: fn() -> Result<u32, LeaseError> = || Err(StoreError::transient("test", "down").into());
    const HELD: fn() -> Result<u32, LeaseError> = || Ok(3);

    /// Enters with a store that says these words in turn, and the last one for ever.
    async fn enter(words: Vec<fn() -> Result<u32, LeaseError>>) -> Result<Claim, StartError> {
        let (mut lease, mut said) = (MockProcessLease::new(), 0);
        lease.expect_hold().returning(move |_, _, _| {
            let word = words[said];
            said = (said + 1).min(words.len() - 1);
            word()
        });
        let process = Incarnation::from_bytes([1; 16]);
        let ttl = Duration::from_secs(10);
        Claim::enter(Arc::new(lease), process, Sharing::Alone, ttl, ttl, LiveProcesses::default()).await
    }

    #[tokio::test(start_paused = true)]
    async fn waits_for_the_end_of_a_claim_and_no_longer() {
        assert_eq!(enter(vec![TAKEN, TAKEN, HELD]).await.unwrap().processes.get(), 3);
        assert!(matches!(enter(vec![TAKEN]).await, Err(StartError::Taken)));
        assert!(matches!(enter(vec![DOWN]).await, Err(StartError::Store(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_that_fails_is_tried_again_and_a_lost_claim_is_told() {
        let claim = enter(vec![HELD, DOWN, HELD, TAKEN]).await.unwrap();
        let (stop, lost) = (CancellationToken::new(), CancellationToken::new());
        claim.keep(&stop, &lost).await;
        assert!(lost.is_cancelled() && !stop.is_cancelled());

        let claim = enter(vec![HELD]).await.unwrap();
        let (stop, lost) = (CancellationToken::new(), CancellationToken::new());
        stop.cancel();
        claim.keep(&stop, &lost).await;
        assert!(!lost.is_cancelled());
    }
}
