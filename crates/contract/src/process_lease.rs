//! What a [`ProcessLease`](tollbar_core::ports::ProcessLease) promises.

use std::time::Duration;

use tollbar_core::{
    domain::Incarnation,
    ports::{LeaseError, Sharing},
};

use crate::{ProcessLeaseHarness, together};

const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(400);

fn process(byte: u8) -> Incarnation {
    Incarnation::from_bytes([byte; 16])
}

suite! {
    ($) process_lease_suite, process_lease, ProcessLeaseHarness;

    /// Two who must be alone, or one who must and one who need not, do not go together, in either order.
    async fn who_must_be_alone_is_alone(harness) {
        let (first, second) = (harness.process().await, harness.process().await);
        for (one, other) in [(Sharing::Alone, Sharing::Alone), (Sharing::Alone, Sharing::Together), (Sharing::Together, Sharing::Alone)] {
            first.hold(process(1), one, LONG).await.unwrap();
            let refused = second.hold(process(2), other, LONG).await;
            assert!(matches!(refused, Err(LeaseError::Taken)), "{one:?} then {other:?}: {refused:?}");
            first.release(process(1)).await.unwrap();
        }
    }

    /// Processes that share a live tier share the database.
    async fn who_need_not_be_alone_share(harness) {
        let (first, second) = (harness.process().await, harness.process().await);
        assert_eq!(first.hold(process(1), Sharing::Together, LONG).await.unwrap(), 1);
        assert_eq!(second.hold(process(2), Sharing::Together, LONG).await.unwrap(), 2);
        assert_eq!(first.hold(process(1), Sharing::Together, LONG).await.unwrap(), 2);
        second.release(process(2)).await.unwrap();
        assert_eq!(first.hold(process(1), Sharing::Together, LONG).await.unwrap(), 1);
        first.release(process(1)).await.unwrap();
        assert_eq!(second.hold(process(2), Sharing::Alone, LONG).await.unwrap(), 1);
    }

    /// A process that ended without a word is not counted any more when its time is over.
    async fn a_process_that_ended_is_not_counted(harness) {
        let (first, second) = (harness.process().await, harness.process().await);
        first.hold(process(1), Sharing::Together, SHORT).await.unwrap();
        drop(first);
        for _ in 0..100 {
            if second.hold(process(2), Sharing::Together, LONG).await.unwrap() == 1 {
                return;
            }
            tokio::time::sleep(SHORT / 8).await;
        }
        panic!("the dead process is still counted");
    }

    /// A holder renews as often as it likes.
    async fn a_holder_renews(harness) {
        let (first, second) = (harness.process().await, harness.process().await);
        for _ in 0..6 {
            first.hold(process(1), Sharing::Alone, SHORT).await.unwrap();
            tokio::time::sleep(SHORT / 4).await;
        }
        assert!(matches!(second.hold(process(2), Sharing::Alone, LONG).await, Err(LeaseError::Taken)));
    }

    /// A release makes room at once, and releasing what is not held is no error.
    async fn a_release_makes_room(harness) {
        let (first, second) = (harness.process().await, harness.process().await);
        second.release(process(2)).await.unwrap();
        first.hold(process(1), Sharing::Alone, LONG).await.unwrap();
        second.release(process(2)).await.unwrap();
        assert!(matches!(second.hold(process(2), Sharing::Alone, LONG).await, Err(LeaseError::Taken)));
        first.release(process(1)).await.unwrap();
        second.hold(process(2), Sharing::Alone, LONG).await.unwrap();
    }

    /// A process that ended without a word is forgotten when its time is over.
    async fn a_process_that_ended_is_forgotten(harness) {
        let first = harness.process().await;
        first.hold(process(1), Sharing::Alone, SHORT).await.unwrap();
        drop(first);
        let second = harness.process().await;
        for _ in 0..100 {
            match second.hold(process(2), Sharing::Alone, LONG).await {
                Ok(_) => return,
                Err(LeaseError::Taken) => tokio::time::sleep(SHORT / 8).await,
                Err(LeaseError::Store(error)) => panic!("{error:?}"),
            }
        }
        panic!("the dead process is still held to be alive");
    }

    /// Of many who want to be alone at once, one is.
    async fn of_ten_at_once_one_is_alone(harness) {
        let mut processes = Vec::new();
        for _ in 0..10 {
            processes.push(harness.process().await);
        }
        let held = together(10, |index| {
            let lease = processes[index].clone();
            let process = process(u8::try_from(index).unwrap_or(0));
            async move { lease.hold(process, Sharing::Alone, LONG).await.is_ok() }
        })
        .await;
        assert_eq!(held.iter().filter(|held| **held).count(), 1);
    }
}
