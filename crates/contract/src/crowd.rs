//! A crowd of callers, more than may wait at a durable engine: it does not keep out what a process lives by.

use std::{convert::Infallible, time::Duration};

use tollbar_core::{
    domain::{Epoch, EpochId, EpochSums, Incarnation},
    ports::{Added, CallLedger, HealthCheck, ProcessLease, Sharing},
};

/// While `crowd` goes on, which never ends: the claim on the database is renewed, calls get into the ledger, and the engine is well.
pub async fn does_not_keep_out_what_a_process_lives_by<T>(store: &T, crowd: impl Future<Output = Infallible>)
where
    T: HealthCheck + ProcessLease + CallLedger,
{
    let vital = async {
        for number in 0..20 {
            let process = Incarnation::from_bytes([number; 16]);
            HealthCheck::check(store).await.unwrap();
            ProcessLease::hold(store, process, Sharing::Together, Duration::from_secs(60)).await.unwrap();
            CallLedger::begin(store, process, process).await.unwrap();
            let id = EpochId { incarnation: process, epoch: Epoch::FIRST };
            let added = CallLedger::add(store, id, &EpochSums::default()).await.unwrap();
            assert_eq!(added, Added::Totals(vec![]));
            CallLedger::close(store, process, &[]).await.unwrap();
            ProcessLease::release(store, process).await.unwrap();
        }
    };
    tokio::select! {
        never = crowd => match never {},
        () = vital => {}
    }
}
