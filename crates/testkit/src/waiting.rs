//! Waiting for something to become true, up to a limit.

use std::thread::sleep;
use std::time::Duration;

const STEP: Duration = Duration::from_millis(5);

/// Asks again and again until there is an answer; `None` after about `limit`.
pub(crate) fn wait_for<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    // The steps are counted instead of the time, which only the Clock port may read.
    let steps = limit.as_millis() / STEP.as_millis();
    for _ in 0..steps {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        sleep(STEP);
    }
    ask()
}
