//! What bcrypt itself can do: passwords verified in a second, one thread a core.

use std::{thread, time::Duration};

use clap::Args;

use crate::{Failure, hello::workers, stopwatch::Stopwatch};

/// Verify a password on every core, again and again
#[derive(Args)]
pub(crate) struct RawBcrypt {
    /// The cost of the hash
    #[arg(long)]
    cost: u32,
    /// For how long
    #[arg(long)]
    seconds: u64,
}

impl RawBcrypt {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    pub(crate) fn run(self) -> Result<(), Failure> {
        let hash = bcrypt::non_truncating_hash("password", self.cost)?;
        let (limit, watch) = (Duration::from_secs(self.seconds), Stopwatch::start());
        // As with logins, one that is still under way at the end does not count.
        let verify = || {
            let mut verified = 0_u64;
            while bcrypt::non_truncating_verify("password", &hash)? && watch.elapsed() < limit {
                verified += 1;
            }
            Ok::<_, bcrypt::BcryptError>(verified)
        };
        let verified = thread::scope(|scope| {
            let threads: Vec<_> = (0..workers()).map(|_| scope.spawn(verify)).collect();
            threads
                .into_iter()
                .map(|thread| Ok(thread.join().map_err(|_| "a thread panicked")??))
                .sum::<Result<u64, Failure>>()
        })?;
        println!("per_second={}", verified as f64 / limit.as_secs_f64());
        Ok(())
    }
}
