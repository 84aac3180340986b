//! What a [`SessionCache`](tollbar_core::ports::SessionCache) promises of an engine that comes back without its last writes.

use tollbar_core::ports::Published;

use crate::{
    SessionCacheHarness,
    session_cache::{cached, change_to, miss, set, user},
};

suite! {
    ($) session_cache_loss_suite, session_cache_loss, SessionCacheHarness;

    /// An entry from before the loss is a miss, even if the engine still has it.
    async fn a_rolled_back_entry_is_a_miss(shared) {
        drop(shared);
        let harness = H::start_restartable().await;
        change_to(&harness.session_cache(), user(1), 1).await;
        harness.save().await;
        change_to(&harness.session_cache(), user(1), 2).await;
        harness.roll_back().await;
        assert_eq!(cached(&harness.session_cache(), user(1)).await, None);
    }

    /// A lease from before the loss fills nothing: the change that had ended it may be what was lost.
    async fn a_rolled_back_lease_fills_nothing(shared) {
        drop(shared);
        let harness = H::start_restartable().await;
        let reader = miss(&harness.session_cache(), user(1)).await;
        harness.save().await;
        change_to(&harness.session_cache(), user(1), 2).await;
        harness.roll_back().await;
        let cache = harness.session_cache();
        assert_eq!(cache.publish(user(1), &set(1), reader).await.unwrap(), Published::Refused);
        assert_eq!(cached(&cache, user(1)).await, None);
    }

    /// A later version is not written over an entry from before the loss without a lease: it is as good as absent.
    async fn a_rolled_back_entry_lends_no_right_to_write(shared) {
        drop(shared);
        let harness = H::start_restartable().await;
        change_to(&harness.session_cache(), user(1), 1).await;
        let stale = harness.session_cache().change(user(2)).await.unwrap();
        harness.save().await;
        harness.roll_back().await;
        let cache = harness.session_cache();
        assert_eq!(cache.publish(user(1), &set(2), stale).await.unwrap(), Published::Refused);
        assert_eq!(cached(&cache, user(1)).await, None);
    }

    /// After the loss the cache is filled as ever.
    async fn a_lost_lease_keeps_no_reader_waiting(shared) {
        drop(shared);
        let harness = H::start_restartable().await;
        miss(&harness.session_cache(), user(1)).await;
        harness.save().await;
        harness.roll_back().await;
        let fresh = miss(&harness.session_cache(), user(1)).await;
        assert!(fresh.lease.is_some(), "a lease from before the loss is as good as none");
        let cache = harness.session_cache();
        assert_eq!(cache.publish(user(1), &set(3), fresh).await.unwrap(), Published::Written);
        assert_eq!(cached(&cache, user(1)).await, Some(3));
    }
}
