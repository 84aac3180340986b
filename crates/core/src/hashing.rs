//! bcrypt on blocking threads: at most one hash a core at once, and a bounded queue behind.

use std::{sync::Arc, thread::available_parallelism, time::Duration};

use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::{
    domain::{Password, PasswordHash},
    ports::{HashError, PasswordHasher},
};

const BUSY: HashError = HashError::Busy { retry_after: Duration::from_secs(1) };

/// Hashes with bcrypt, refusing what its queue cannot take.
pub struct BcryptHasher {
    cost: u32,
    /// One permit a caller, running or queued.
    places: Arc<Semaphore>,
    /// One permit a core.
    cores: Arc<Semaphore>,
    /// The hash of nobody's password, at the same cost.
    nobody: PasswordHash,
}

impl BcryptHasher {
    /// A hasher at this cost (4 to 31), with `queue` places behind those that run. Takes the time of one hash.
    ///
    /// # Errors
    /// bcrypt refused the cost.
    pub async fn new(cost: u32, queue: usize) -> Result<Self, HashError> {
        let cores = available_parallelism().map_or(1, usize::from);
        let (places, running) = (Semaphore::new(cores + queue), Semaphore::new(cores));
        let nobody = PasswordHash::new(String::new());
        let mut hasher = Self { cost, places: Arc::new(places), cores: Arc::new(running), nobody };
        hasher.nobody =
            hasher.run(move || bcrypt::non_truncating_hash("nobody", cost)).await.map(PasswordHash::new)?;
        Ok(hasher)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, bcrypt::BcryptError> + Send + 'static,
    ) -> Result<T, HashError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| BUSY)?;
        let core = Arc::clone(&self.cores).acquire_owned().await.map_err(|closed| failed(closed.into()))?;
        let hashed = tokio::task::spawn_blocking(move || {
            // Held until the hash is done, also where the caller has left meanwhile.
            let _held = (place, core);
            work()
        });
        hashed.await.map_err(|panicked| failed(panicked.into()))?.map_err(|error| failed(error.into()))
    }
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
        let hasher = BcryptHasher::new(4, 1).await.unwrap();
        let long = "é".repeat(35) + "1";
        let hash = hasher.hash(&password(&long)).await.unwrap();
        assert!(hash.expose().starts_with("$2b$04$"));
        assert!(hasher.nobody.expose().starts_with("$2b$04$"), "nobody costs what somebody does");
        assert!(hasher.verify(&password(&long), &hash).await.unwrap());
        assert!(!hasher.verify(&password(&("é".repeat(35) + "2")), &hash).await.unwrap());
        hasher.verify_nobody(&password("anything")).await.unwrap();
        let damaged = PasswordHash::new("$2b$04$short");
        assert!(matches!(hasher.verify(&password("x"), &damaged).await, Err(HashError::Failed(_))));
        assert!(BcryptHasher::new(3, 1).await.is_err());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_more_run_at_once_than_there_are_cores() {
        use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

        let hasher = Arc::new(BcryptHasher::new(4, 64).await.unwrap());
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
        let hasher = Arc::new(BcryptHasher::new(8, 3).await.unwrap());
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
}
