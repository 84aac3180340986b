//! How a case becomes a test: one macro defines the cases of a suite and exports another that runs them all.

use std::{future::Future, sync::Arc};

use tokio::sync::Barrier;

use crate::Harness;

/// Defines a suite: `suite! { ($) name_of_the_macro, module, HarnessTrait; async fn case(harness) { … } … }`.
macro_rules! suite {
    (
        ($dollar:tt) $name:ident, $module:ident, $harness:path;
        $( $(#[$doc:meta])* async fn $case:ident($tier:ident) $body:block )+
    ) => {
        $( $(#[$doc])* pub async fn $case<H: $harness>($tier: H) $body )+

        /// Makes one `#[test]` of each case of this suite, on the given harness.
        #[macro_export]
        macro_rules! $name {
            ($dollar harness:ty) => {
                $(
                    #[test]
                    fn $case() {
                        $crate::run($crate::$module::$case::<$dollar harness>);
                    }
                )+
            };
        }
    };
}

/// Runs one case on a fresh harness, in a runtime of its own.
///
/// # Panics
/// Where the case fails.
pub fn run<H: Harness, F: Future<Output = ()>>(case: impl FnOnce(H) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a test can have a runtime");
    runtime.block_on(async { case(H::start().await).await });
}

/// Runs `count` tasks that all begin at the same moment, and gives their results in order.
///
/// # Panics
/// Where a task does.
pub async fn together<T, F>(count: usize, mut task: impl FnMut(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(count));
    let tasks = (0..count).map(|index| {
        let (work, start) = (task(index), Arc::clone(&start));
        tokio::spawn(async move {
            start.wait().await;
            work.await
        })
    });
    let mut results = Vec::with_capacity(count);
    for task in tasks.collect::<Vec<_>>() {
        results.push(task.await.expect("no task of a case panics"));
    }
    results
}
