//! Why settings cannot be used: one line that names key and value, and shows no secret.

use std::path::PathBuf;

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("the configuration file {} cannot be read: {reason}", .file.display())]
    Unreadable {
        /// The file that `--config` names.
        file: PathBuf,
        /// What the system says.
        reason: std::io::ErrorKind,
    },
    /// The file is no TOML.
    #[error("the configuration file {}, line {line}: {reason}", .file.display())]
    Syntax {
        /// The file that `--config` names.
        file: PathBuf,
        /// Where.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The file has lost its policies while a service ran by them.
    #[error("the configuration file {} holds no [[policies]] any more; those of the default hold after a restart only", .file.display())]
    NoPolicies {
        /// The file that `--config` names.
        file: PathBuf,
    },
    /// An environment variable is not Unicode, or its name does not make a key.
    #[error("the environment variable {0} cannot be read as a setting")]
    Variable(String),
    /// There is no such key.
    #[error("unknown setting {key} = {value}, from {origin}")]
    Unknown {
        /// Section and key.
        key: String,
        /// Its value, as far as it may be shown.
        value: String,
        /// Where it was set.
        origin: String,
    },
    /// The value does not fit.
    #[error("bad setting {key} = {value}, from {origin}: {rule}")]
    Bad {
        /// Section and key.
        key: String,
        /// Its value, as far as it may be shown.
        value: String,
        /// Where it was set.
        origin: String,
        /// What it must be.
        rule: String,
    },
}

/// A value as a message may show it: URLs hold passwords, and a misspelt key may hold anything.
pub(super) fn shown(key: &str, value: &str) -> String {
    const SECRET: [&str; 10] = ["url", "uri", "dsn", "secret", "pas", "pwd", "token", "key", "cred", "auth"];
    let name = key.rsplit('.').next().unwrap_or(key);
    // The name of a file is none, whatever is in it. Headers for a collector have its token.
    let secret = (!name.ends_with("_file") && SECRET.iter().any(|word| name.contains(word)))
        || key.starts_with("traces.header")
        || value.contains("://");
    match (secret, value.split_once("://")) {
        (true, _) if value.is_empty() => "\"\"".to_owned(),
        // A scheme is often what is wrong, and never secret.
        (true, Some((scheme, _))) if scheme.len() <= 20 => format!("\"{}://…\"", scheme.escape_debug()),
        (true, _) => "(not shown)".to_owned(),
        (false, _) if value.len() > 80 => format!("{:?}…", value.chars().take(60).collect::<String>()),
        (false, _) => format!("{value:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(shown("database.url", "postgres://u:hunter2@h/db"), "\"postgres://…\"");
        assert_eq!(shown("database.url", "u:hunter2@h"), "(not shown)");
        assert_eq!(shown("database.pasword", "hunter2"), "(not shown)");
        assert_eq!(shown("redis.address", "redis://:hunter2@h"), "\"redis://…\"");
        assert_eq!(shown("redis.url", ""), "\"\"");
    }

    #[test]
    fn other_values_are_shown_on_one_line() {
        assert_eq!(shown("password.bcrypt_cost", "3"), "\"3\"");
        assert_eq!(shown("server.bind", "a\nb"), "\"a\\nb\"");
        assert!(shown("server.bind", &"x".repeat(1_000)).len() < 80);
    }
}
