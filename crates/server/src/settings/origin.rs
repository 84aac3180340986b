//! Where settings are read, and read again.

use std::{os::unix::fs::MetadataExt, path::PathBuf, time::SystemTime};

use super::{Settings, SettingsError, Variables};

/// A file, if one is named, and the environment.
#[derive(Clone, Default)]
pub struct Origin {
    file: Option<PathBuf>,
    variables: Variables,
    begun: Stamp,
}

/// What changes with a file's content; nothing where there is no file.
pub(crate) type Stamp = Option<(u64, u64, u64, Option<SystemTime>)>;

impl Origin {
    /// This file and these variables.
    pub fn new(file: Option<PathBuf>, variables: Variables) -> Self {
        let mut origin = Self { file, variables, begun: None };
        // Before anything is read: a change during the start is one, too.
        origin.begun = origin.stamp();
        origin
    }

    /// Reads them.
    ///
    /// # Errors
    /// See [`Settings::load`].
    pub fn load(&self) -> Result<Settings, SettingsError> {
        Settings::load(self.file.as_deref(), self.variables.clone())
    }

    /// How the file stands now.
    pub(crate) fn stamp(&self) -> Stamp {
        let metadata = std::fs::metadata(self.file.as_ref()?).ok()?;
        Some((metadata.dev(), metadata.ino(), metadata.len(), metadata.modified().ok()))
    }

    /// How it stood before it was read first.
    pub(crate) fn begun(&self) -> Stamp {
        self.begun
    }

    /// What a person is told of settings that could be read here.
    pub fn praise(&self, settings: &Settings) -> String {
        let place = self.file.as_ref().map_or("the default".into(), |file| file.to_string_lossy());
        let count = settings.policies.count();
        let policies = if count == 1 { "1 policy".to_owned() } else { format!("{count} policies") };
        format!("{place} is good: {policies}\n")
    }
}
