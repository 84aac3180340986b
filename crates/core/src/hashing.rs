//! bcrypt on threads of its own: one a core, and a bounded queue before them.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, available_parallelism},
    time::Duration,
};

use async_trait::async_trait;
use metrics::{Counter, Gauge, counter, gauge};
use tokio::sync::{Semaphore, oneshot};

use crate::{
    domain::{Password, PasswordHash},
    ports::{HashError, PasswordHasher},
};

const BUSY: HashError = HashError::Busy { retry_after: Duration::from_secs(1) };
/// bcrypt's own bounds.
const COSTS: std::ops::RangeInclusive<u32> = 4..=31;

type Job = Box<dyn FnOnce() + Send>;

/// Hashes with bcrypt, refusing what its queue cannot take. Its threads end when it is dropped.
pub struct BcryptHasher {
    cost: u32,
    /// One permit a caller, running or queued.
    places: Arc<Semaphore>,
    jobs: Sender<Job>,
    /// Hashes that run or wait.
    queue: Gauge,
    turned_away: Counter,
    /// Of nobody's password, at the same cost.
    nobody: PasswordHash,
}

impl BcryptHasher {
    /// A hasher at this cost (4 to 31), with `queue` places before those that run. Each of its threads begins with
    /// `on_thread_start`: there a service may lower the thread's priority, so that hashes take what time calls leave.
    ///
    /// # Errors
    /// The cost is not from 4 to 31, or the threads cannot be started.
    pub fn new(cost: u32, queue: usize, on_thread_start: fn()) -> Result<Self, HashError> {
        if !COSTS.contains(&cost) {
            return Err(failed(bcrypt::BcryptError::CostNotAllowed(cost).into()));
        }
        let cores = available_parallelism().map_or(1, usize::from);
        let (jobs, waiting) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..cores {
            start(Arc::clone(&waiting), on_thread_start).map_err(|error| failed(error.into()))?;
        }
        // No password is known to hash to this, and whether one does is never looked at: only the cost matters.
        let nobody = PasswordHash::new(format!("$2b${cost:02}${}", ".".repeat(22 + 31)));
        Ok(Self {
            cost,
            places: Arc::new(Semaphore::new(cores + queue)),
            jobs,
            queue: gauge!("tollbar_bcrypt_queue_hashes"),
            turned_away: counter!("tollbar_bcrypt_turned_away_total"),
            nobody,
        })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, bcrypt::BcryptError> + Send + 'static,
    ) -> Result<T, HashError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            self.turned_away.increment(1);
            BUSY
        })?;
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.clone();
        queue.increment(1.0);
        let job = move || {
            // Held until the hash is done, also where the caller has left meanwhile.
            let _held = place;
            let done = work();
            queue.decrement(1.0);
            let _ = answer.send(done);
        };
        self.jobs.send(Box::new(job)).map_err(|_| failed("the threads for hashing have ended".into()))?;
        let hashed = answered.await.map_err(|panicked| failed(panicked.into()))?;
        hashed.map_err(|error| failed(error.into()))
    }
}

fn start(waiting: Arc<Mutex<Receiver<Job>>>, on_thread_start: fn()) -> io::Result<()> {
    let work = move || {
        on_thread_start();
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(job) = next else { return };
            // Its caller hears of a panic by the answer that does not come; the thread goes on.
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
        }
    };
    thread::Builder::new().name("bcrypt".to_owned()).spawn(work).map(drop)
}

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> HashError {
    HashError::Failed(Arc::from(error))
}

#[async_trait]
impl PasswordHasher for BcryptHasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        let (password, cost) = (password.clone(), self.cost);
        self.run(move || bcrypt::non_truncating_hash(password.expose(), cost)).await.map(PasswordHash::new)
    }

    async fn verify(&self, password: &Password, hash: &PasswordHash) -> Result<bool, HashError> {
        let (password, hash) = (password.clone(), hash.clone());
        self.run(move || bcrypt::non_truncating_verify(password.expose(), hash.expose())).await
    }

    async fn verify_nobody(&self, password: &Password) -> Result<(), HashError> {
        self.verify(password, &self.nobody).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::new(text).unwrap()
    }

    #[tokio::test]
    async fn hashes_and_verifies() {
        let hasher = BcryptHasher::new(4, 1, || {}).unwrap();
        let long = "é".repeat(35) + "1";
        let hash = hasher.hash(&password(&long)).await.unwrap();
        assert!(hash.expose().starts_with("$2b$04$"));
        assert!(hasher.nobody.expose().starts_with("$2b$04$"), "nobody costs what somebody does");
        assert!(hasher.verify(&password(&long), &hash).await.unwrap());
        assert!(!hasher.verify(&password(&("é".repeat(35) + "2")), &hash).await.unwrap());
        hasher.verify_nobody(&password("anything")).await.unwrap();
        let damaged = PasswordHash::new("$2b$04$short");
        assert!(matches!(hasher.verify(&password("x"), &damaged).await, Err(HashError::Failed(_))));
        assert!([3, 32].into_iter().all(|cost| BcryptHasher::new(cost, 1, || {}).is_err()));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_more_run_at_once_than_there_are_cores() {
        use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

        let hasher = Arc::new(BcryptHasher::new(4, 64, || {}).unwrap());
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let all = (0..32).map(|_| {
            let (hasher, running, most) = (Arc::clone(&hasher), Arc::clone(&running), Arc::clone(&most));
            tokio::spawn(async move {
                let work = move || {
                    most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
                    std::thread::sleep(Duration::from_millis(5));
                    running.fetch_sub(1, SeqCst);
                    Ok(())
                };
                hasher.run(work).await
            })
        });
        for task in all.collect::<Vec<_>>() {
            task.await.unwrap().unwrap();
        }
        assert_eq!(most.load(SeqCst), available_parallelism().map_or(1, usize::from));
    }

    #[tokio::test]
    async fn beyond_the_queue_it_refuses_and_recovers() {
        let hasher = Arc::new(BcryptHasher::new(8, 3, || {}).unwrap());
        let places = 3 + available_parallelism().map_or(1, usize::from);
        let all = (0..places + 5).map(|_| {
            let hasher = Arc::clone(&hasher);
            tokio::spawn(async move { hasher.hash(&password("pass1234")).await })
        });
        let mut refused = 0;
        for task in all.collect::<Vec<_>>() {
            match task.await.unwrap() {
                Ok(_) => {}
                Err(HashError::Busy { retry_after }) => {
                    assert_eq!(retry_after, Duration::from_secs(1));
                    refused += 1;
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(refused, 5);
        assert!(hasher.hash(&password("pass1234")).await.is_ok());
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_takes_no_thread_along() {
        let hasher = BcryptHasher::new(4, 64, || {}).unwrap();
        for _ in 0..available_parallelism().map_or(1, usize::from) {
            let panics = || -> Result<(), bcrypt::BcryptError> { panic!("on purpose") };
            assert!(matches!(hasher.run(panics).await, Err(HashError::Failed(_))));
        }
        assert!(hasher.hash(&password("pass1234")).await.is_ok());
    }

    #[tokio::test]
    async fn threads_begin_as_they_are_told_and_end_with_the_hasher() {
        use std::{
            cell::Cell,
            sync::atomic::{AtomicUsize, Ordering::SeqCst},
        };

        static ENDED: AtomicUsize = AtomicUsize::new(0);
        struct Ends;
        impl Drop for Ends {
            fn drop(&mut self) {
                ENDED.fetch_add(1, SeqCst);
            }
        }
        thread_local!(static BEGUN: Cell<Option<Ends>> = const { Cell::new(None) });
        let hasher = BcryptHasher::new(4, 1, || BEGUN.set(Some(Ends))).unwrap();
        hasher.verify_nobody(&password("anything")).await.unwrap();
        drop(hasher);
        let cores = available_parallelism().map_or(1, usize::from);
        let all_ended = async {
            while ENDED.load(SeqCst) < cores {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), all_ended).await.expect("the threads end");
    }
}
