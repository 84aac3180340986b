//! Bugs on demand: a build with the feature `sabotage` has the bug that `TOLLBAR_SABOTAGE` names, so that tests can show that
//! they would find it. Without the variable it has none.

use std::{env, sync::LazyLock};

#[cfg(not(debug_assertions))]
compile_error!("the feature `sabotage` is for tests: nothing that is released may have it");

static CHOSEN: LazyLock<Option<String>> = LazyLock::new(|| env::var("TOLLBAR_SABOTAGE").ok());

/// Whether this process is to have this bug.
pub fn is_chosen(bug: &str) -> bool {
    CHOSEN.as_deref() == Some(bug)
}
