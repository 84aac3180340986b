//! `[log]`: how much is logged, and for whom.

use super::{SettingsError, keys::Keys};

/// `[log]`
#[derive(Debug, Clone, Copy)]
pub struct LogSettings {
    /// The least level that is logged.
    pub level: LogLevel,
    /// For people or for machines.
    pub format: LogFormat,
}

/// The least level that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// The form of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

impl LogSettings {
    pub(super) fn read(keys: &Keys) -> Result<Self, SettingsError> {
        let levels = [
            ("error", LogLevel::Error),
            ("warn", LogLevel::Warn),
            ("info", LogLevel::Info),
            ("debug", LogLevel::Debug),
            ("trace", LogLevel::Trace),
        ];
        let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        Ok(Self { level: keys.choice("log.level", &levels)?, format: keys.choice("log.format", &formats)? })
    }
}
