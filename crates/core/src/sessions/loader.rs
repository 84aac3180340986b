//! Durable loads on behalf of many readers: one in flight per user, a bounded number in all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{Semaphore, oneshot};
use tracing::Instrument;

use crate::{
    StoreError,
    domain::{SessionSet, UserId},
    ports::{Clock, SessionStore},
    spans::shared_work,
};

const OPERATION: &str = "load sessions";

type Loaded = Result<Option<SessionSet>, StoreError>;
type Waiting = HashMap<UserId, Vec<oneshot::Sender<Loaded>>>;

/// How much of the durable tier readers may use.
#[derive(Debug, Clone, Copy)]
pub struct LoadLimits {
    /// Loads in flight at once, over all users.
    pub concurrent: usize,
    /// Callers that wait at once, over all users; one more is refused.
    pub waiting: usize,
    /// How long a caller waits at most.
    pub patience: Duration,
}

impl Default for LoadLimits {
    fn default() -> Self {
        Self { concurrent: 32, waiting: 4096, patience: Duration::from_secs(1) }
    }
}

/// Shares loads without ever answering from one that began before the question: a reader that joined an older load could be
/// told of a session that ended in between.
pub(super) struct Loader {
    shared: Arc<Shared>,
    /// One permit a caller that waits.
    waiting: Semaphore,
    patience: Duration,
}

struct Shared {
    store: Arc<dyn SessionStore>,
    clock: Arc<dyn Clock>,
    running: Semaphore,
    /// A user is a key here while a task loads for it; the list holds those whom the next load will answer.
    queues: Mutex<Waiting>,
}

impl Loader {
    pub(super) fn new(store: Arc<dyn SessionStore>, clock: Arc<dyn Clock>, limits: LoadLimits) -> Self {
        let running = Semaphore::new(limits.concurrent);
        let shared = Arc::new(Shared { store, clock, running, queues: Mutex::default() });
        Self { shared, waiting: Semaphore::new(limits.waiting), patience: limits.patience }
    }

    /// Loads a user's set, by a load that begins after this call.
    pub(super) async fn load(&self, user: UserId) -> Loaded {
        let _place = self.waiting.try_acquire().map_err(|_| StoreError::overloaded(OPERATION))?;
        let (answer, answered) = oneshot::channel();
        if self.shared.join(user, answer) {
            // A task of its own, so that a caller who leaves does not take the load with it.
            tokio::spawn(Arc::clone(&self.shared).run(user).instrument(shared_work(OPERATION)));
        }
        match tokio::time::timeout(self.patience, answered).await {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(_)) => Err(StoreError::transient(OPERATION, "the load was dropped")),
            Err(_) => Err(StoreError::deadline(OPERATION, self.patience)),
        }
        .map_err(StoreError::of_durable_tier)
    }
}

impl Shared {
    /// Queues a caller; true if nobody loads for this user yet.
    fn join(&self, user: UserId, answer: oneshot::Sender<Loaded>) -> bool {
        let mut queues = self.queues();
        let idle = !queues.contains_key(&user);
        queues.entry(user).or_default().push(answer);
        idle
    }

    async fn run(self: Arc<Self>, user: UserId) {
        let mut turn = Turn { shared: &self, user, is_over: false };
        while let Ok(_permit) = self.running.acquire().await {
            // Whoever queues from here on is answered by the next round.
            let Some(batch) = self.take(user) else {
                turn.is_over = true;
                return;
            };
            let loaded = self.store.load(user, self.clock.now()).await;
            // A failure revives nobody: it is the answer of those, too, who have asked meanwhile and would only fail later.
            let later = if loaded.is_err() { self.queued(user) } else { Vec::new() };
            for answer in batch.into_iter().chain(later) {
                // A caller that has left needs no answer.
                let _ = answer.send(loaded.clone());
            }
        }
    }

    /// Those who wait for this user; `None` ends the user's turn.
    fn take(&self, user: UserId) -> Option<Vec<oneshot::Sender<Loaded>>> {
        let mut queues = self.queues();
        let batch = queues.get_mut(&user).map(std::mem::take).filter(|batch| !batch.is_empty());
        if batch.is_none() {
            queues.remove(&user);
        }
        batch
    }

    /// Those who have queued for this user since the last load began.
    fn queued(&self, user: UserId) -> Vec<oneshot::Sender<Loaded>> {
        self.queues().get_mut(&user).map(std::mem::take).unwrap_or_default()
    }

    fn queues(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A user's turn. It ends even where the store panics, or where the runtime that it ran on does: or the user could never be
/// loaded again.
struct Turn<'a> {
    shared: &'a Shared,
    user: UserId,
    /// Ended in order: another may have begun since.
    is_over: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.shared.queues().remove(&self.user);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

    use async_trait::async_trait;
    use tokio::sync::Notify;

    use super::*;
    use crate::{
        domain::{Timestamp, Verifier, Version},
        ports::{AllClosed, Closed, ManualClock, NewSession, SessionFacts},
    };

    /// A store whose loads wait to be let go, and see the version of when they began.
    #[derive(Default)]
    struct SlowStore {
        version: AtomicU64,
        begun: AtomicUsize,
        go: Notify,
    }

    #[async_trait]
    impl SessionStore for SlowStore {
        async fn load(&self, _: UserId, _: Timestamp) -> Loaded {
            let version = Version::new(self.version.load(SeqCst));
            self.begun.fetch_add(1, SeqCst);
            self.go.notified().await;
            Ok(Some(SessionSet { version, sessions: vec![] }))
        }
        async fn open(&self, _: UserId, _: NewSession, _: std::num::NonZeroUsize, _: Timestamp) -> Loaded {
            unreachable!("the loader only loads")
        }
        async fn close(
            &self,
            _: UserId,
            _: Version,
            _: &Verifier,
            _: Timestamp,
        ) -> Result<Option<Closed>, StoreError> {
            unreachable!("the loader only loads")
        }
        async fn count(&self, _: Timestamp) -> Result<u64, StoreError> {
            unreachable!("the loader only loads")
        }
        async fn close_all(&self, _: UserId, _: Timestamp) -> Result<Option<AllClosed>, StoreError> {
            unreachable!("the loader only loads")
        }
        async fn list(&self, _: UserId, _: Timestamp) -> Result<Vec<SessionFacts>, StoreError> {
            unreachable!("the loader only loads")
        }
    }

    fn loader(limits: LoadLimits) -> (Arc<SlowStore>, Arc<Loader>) {
        let store = Arc::new(SlowStore::default());
        let loader = Loader::new(store.clone(), Arc::new(ManualClock::new()), limits);
        (store, Arc::new(loader))
    }

    fn user(id: u64) -> UserId {
        UserId::new(id).unwrap()
    }

    async fn settle() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_caller_is_never_answered_by_a_load_that_began_before_it_asked() {
        let (store, loader) = loader(LoadLimits::default());
        let ask = || {
            let loader = Arc::clone(&loader);
            tokio::spawn(async move { loader.load(user(1)).await.unwrap().unwrap().version.get() })
        };
        let before = ask();
        settle().await;
        store.version.store(1, SeqCst);
        let (after, also) = (ask(), ask());
        settle().await;
        assert_eq!(store.begun.load(SeqCst), 1, "one load in flight per user");
        store.go.notify_one();
        settle().await;
        store.go.notify_one();
        assert_eq!((before.await.unwrap(), after.await.unwrap(), also.await.unwrap()), (0, 1, 1));
        assert_eq!(store.begun.load(SeqCst), 2, "those who wait share one load");
        settle().await;
        assert!(loader.shared.queues().is_empty());
    }

    #[test]
    fn a_runtime_that_ends_in_mid_load_leaves_its_user_loadable() {
        let (store, loader) = loader(LoadLimits::default());
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let short_lived = runtime();
        short_lived.block_on(async {
            let loader = Arc::clone(&loader);
            tokio::spawn(async move { loader.load(user(1)).await });
            settle().await;
        });
        assert_eq!(store.begun.load(SeqCst), 1);
        drop(short_lived);
        store.go.notify_one();
        let patience = std::time::Duration::from_secs(5);
        let again = runtime().block_on(async { tokio::time::timeout(patience, loader.load(user(1))).await });
        assert!(again.unwrap().unwrap().is_some());
    }

    #[tokio::test]
    async fn loads_and_callers_are_bounded() {
        let (store, loader) = loader(LoadLimits { concurrent: 2, waiting: 3, ..LoadLimits::default() });
        for id in 1..=3 {
            let loader = Arc::clone(&loader);
            tokio::spawn(async move { loader.load(user(id)).await });
        }
        settle().await;
        assert_eq!(store.begun.load(SeqCst), 2);
        let refused = tokio::time::timeout(std::time::Duration::from_secs(5), loader.load(user(4))).await;
        assert!(refused.expect("one more is refused at once").unwrap_err().is_transient());
    }
}
