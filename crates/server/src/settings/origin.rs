//! Where settings are read, and read again.

use std::{os::unix::fs::MetadataExt, path::PathBuf, time::SystemTime};

use super::{Settings, SettingsError, Variables};
use crate::cli::Said;

/// A file, if one is named, and the environment.
#[derive(Clone)]
pub struct Origin {
    file: Option<PathBuf>,
    variables: Variables,
    begun: Stamp,
    /// Whether the file held policies of its own when it was read first.
    had_policies: bool,
}

/// What changes with a file's content; nothing where there is no file.
pub(crate) type Stamp = Option<(u64, u64, u64, Option<SystemTime>, (i64, i64))>;

impl Origin {
    /// This file and these variables.
    pub fn new(file: Option<PathBuf>, variables: Variables) -> Self {
        let mut origin = Self { file, variables, begun: None, had_policies: false };
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

    /// Reads them again, while a service runs by them.
    ///
    /// # Errors
    /// The file is none, for example a pipe, at which a read would wait for ever; or it holds no policies, though one is named: what a
    /// full disk leaves of it is no wish for the default. Else see [`Settings::load`].
    pub(crate) fn load_again(&self) -> Result<Settings, SettingsError> {
        if let Some(file) = &self.file {
            let unreadable = |reason| SettingsError::Unreadable { file: file.clone(), reason };
            let metadata = std::fs::metadata(file).map_err(|error| unreadable(error.kind()))?;
            if !metadata.is_file() {
                return Err(unreadable(std::io::ErrorKind::Unsupported));
            }
        }
        let settings = self.load()?;
        if self.had_policies && !settings.policies.are_of_file() {
            return Err(SettingsError::NoPolicies { file: self.file.clone().unwrap_or_default() });
        }
        Ok(settings)
    }

    /// How the file stands now.
    pub(crate) fn stamp(&self) -> Stamp {
        let metadata = std::fs::metadata(self.file.as_ref()?).ok()?;
        // The last says of a change also where a tool has set the time before it back.
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        Some((metadata.dev(), metadata.ino(), metadata.len(), metadata.modified().ok(), changed))
    }

    /// How it stood before it was read first.
    pub(crate) fn begun(&self) -> Stamp {
        self.begun
    }

    /// Remembers what these settings, which were read here, had of their own.
    #[must_use]
    pub fn with(self, settings: &Settings) -> Self {
        Self { had_policies: settings.policies.are_of_file(), ..self }
    }

    /// What a person is told of settings that could be read here.
    pub(crate) fn praise(&self, settings: &Settings) -> Said {
        let place = self.file.as_ref().map_or("the default".into(), |file| file.to_string_lossy());
        let count = settings.policies.count();
        let policies = if count == 1 { "1 policy".to_owned() } else { format!("{count} policies") };
        let json = serde_json::json!({ "good": true, "source": place, "policies": count });
        Said { text: format!("{place} is good: {policies}\n"), json }
    }
}
