//! What it costs to know what became of calls, at many callers.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::Args;
use tollbar_core::{
    domain::{
        ApiName, Epoch, EpochId, EpochSums, Incarnation, SketchSpan, Sketches, Tally, Timestamp, UserId,
    },
    ports::{Added, CallHistory as _, CallLedger as _, Clock as _, SystemClock},
    random_bytes,
};
use tollbar_sqlite::{SqliteOptions, SqliteStore};

use crate::{Failure, median::median, stopwatch::Stopwatch};

/// Callers of an epoch.
const CHUNK: u64 = 10_000;
/// A day's hours, as a window of 24 hours is made of them.
const HOURS: u64 = 24;
const ASKS: usize = 9;
const LATER: Duration = Duration::from_secs(60);

/// Add the calls of many callers to the ledger, with and without what became of them, and read it
#[derive(Args)]
pub(crate) struct History {
    /// An empty folder
    #[arg(long)]
    folder: PathBuf,
    /// How many callers
    #[arg(long)]
    callers: u64,
}

impl History {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let api = ApiName::new("ping")?;
        let (bare, whole) = (self.folder.join("bare.db"), self.folder.join("whole.db"));
        let stores = [self.open(&bare).await?, self.open(&whole).await?];
        let author = Incarnation::from_bytes(random_bytes()?);
        for store in &stores {
            store.begin(author, author).await?;
        }
        let now = SystemClock.now();
        let (mut epoch, mut times) = (Epoch::FIRST, [Vec::new(), Vec::new()]);
        for first in (1..=self.callers).step_by(usize::try_from(CHUNK)?) {
            let whole = sums(&api, now, first..=self.callers.min(first + CHUNK - 1))?;
            let bare = EpochSums { tallies: whole.tallies.clone(), activity: Vec::new() };
            for ((store, sums), times) in stores.iter().zip([&bare, &whole]).zip(&mut times) {
                let watch = Stopwatch::start();
                let added = store.add(EpochId { incarnation: author, epoch }, sums).await?;
                times.push(watch.elapsed());
                if !matches!(added, Added::Totals(_)) {
                    return Err("the ledger did not add an epoch".into());
                }
            }
            epoch = epoch.next();
        }
        let [bare_add, whole_add] = times.map(|times| median(times).as_secs_f64() * 1e3);
        let store = &stores[1];
        let kept = store.sketches(&api, SketchSpan::Day, Timestamp::default(), now + LATER).await?;
        let day: usize = kept.iter().map(|day| day.to_bytes().len()).sum();
        let (mut best, mut union) = (Vec::new(), Vec::new());
        for _ in 0..ASKS {
            let watch = Stopwatch::start();
            store.top(&api, 100).await?;
            best.push(watch.elapsed());
            let watch = Stopwatch::start();
            for _ in 0..HOURS {
                store.sketches(&api, SketchSpan::Hour, Timestamp::default(), now + LATER).await?;
            }
            Sketches::union(kept.iter().cycle().take(usize::try_from(HOURS)?));
            union.push(watch.elapsed());
        }
        let [best, union] = [best, union].map(|times| median(times).as_secs_f64() * 1e3);
        drop(stores);
        let size = fs::metadata(&whole)?.len() as f64;
        println!("bare_add_ms={bare_add}\nwhole_add_ms={whole_add}\nday_bytes={day}");
        println!("best_ms={best}\nunion_ms={union}\nbytes_per_caller={}", size / self.callers as f64);
        Ok(())
    }

    async fn open(&self, file: &Path) -> Result<Arc<SqliteStore>, Failure> {
        let options = SqliteOptions { path: file.to_owned(), ..SqliteOptions::default() };
        Ok(Arc::new(SqliteStore::open(options).await?))
    }
}

fn sums(api: &ApiName, now: Timestamp, callers: impl Iterator<Item = u64>) -> Result<EpochSums, Failure> {
    // Calls in no order of the numbers, as in life.
    let tally =
        |id: u64| Ok(Tally { api: api.clone(), user: UserId::new(id)?, calls: 1 + id * 7_919 % 1_009 });
    Ok(EpochSums::about(now, callers.map(tally).collect::<Result<_, Failure>>()?))
}
