//! A Redis that loses what it knew: its data files are saved and put back later.

use std::fs;

use crate::error::{EngineError, OrPanic as _};
use crate::files::copy_dir;
use crate::folder::Folder;
use crate::redis_server::PrivateRedis;

/// A copy of a server's data files, which [`PrivateRedis::restore_state`] puts back.
#[derive(Debug)]
pub struct SavedRedis {
    dir: Folder,
}

impl PrivateRedis {
    /// Saves the data as they are now.
    #[track_caller]
    pub fn save_state(&self) -> SavedRedis {
        self.try_save_state().or_panic()
    }

    /// Rolls the server back: kills it, puts the saved data in the place of its own and starts it again.
    #[track_caller]
    pub fn restore_state(&mut self, saved: &SavedRedis) {
        self.kill9();
        self.put_back(saved).or_panic();
        self.start_again();
    }

    fn try_save_state(&self) -> Result<SavedRedis, EngineError> {
        let saved = SavedRedis { dir: Folder::new(None)? };
        // An append-only file has every acknowledged write already. Without one, a snapshot is the only copy.
        if !self.appends_only() {
            self.query(&["SAVE"])?;
        }
        self.pause();
        let copied = copy_dir(&self.data(), saved.dir.path());
        self.resume();
        copied.map(|()| saved)
    }

    fn put_back(&self, saved: &SavedRedis) -> Result<(), EngineError> {
        fs::remove_dir_all(self.data()).map_err(EngineError::io("remove the data of Redis"))?;
        copy_dir(saved.dir.path(), &self.data())
    }
}
