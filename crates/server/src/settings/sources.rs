//! Where settings come from, and which of them wins.

use std::{collections::HashMap, ffi::OsString, fs, path::Path};

use config::{Config, Environment, File, FileFormat, Value};

use super::{SettingsError, keys::Keys, lines::Lines};

const DEFAULTS: &str = include_str!("../../config/default.toml");
const PREFIX: &str = "TOLLBAR";
const SEPARATOR: &str = "__";
const URLS: [(&str, &str); 2] = [("DATABASE_URL", "database.url"), ("REDIS_URL", "redis.url")];

/// The environment variables that are settings.
#[derive(Clone, Default)]
pub struct Variables(Vec<(OsString, OsString)>);

impl Variables {
    /// Those of this process.
    pub fn of_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// These, and none of the process.
    pub fn of<K: Into<OsString>, V: Into<OsString>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// Name and value of each variable that is a setting and not empty.
    fn settings(self) -> Result<HashMap<String, String>, SettingsError> {
        let prefix = format!("{PREFIX}{SEPARATOR}");
        let mut settings = HashMap::new();
        for (name, value) in self.0 {
            let Ok(name) = name.into_string() else { continue };
            let ours = name.to_uppercase().starts_with(&prefix) || URLS.iter().any(|(url, _)| *url == name);
            if ours && !value.is_empty() {
                let value = value.into_string().map_err(|_| SettingsError::Variable(name.clone()))?;
                settings.insert(name, value);
            }
        }
        match contradiction(settings.keys()) {
            Some(name) => Err(SettingsError::Variable(name)),
            None => Ok(settings),
        }
    }
}

/// A variable that means what another means, or a part of it; which of the two would win is chance.
fn contradiction<'a>(names: impl Iterator<Item = &'a String>) -> Option<String> {
    let mut keys: Vec<_> = names.map(|name| (name.to_uppercase() + SEPARATOR, name)).collect();
    keys.sort_unstable();
    // Sorted, a key stands before its parts and beside its equals.
    let clash = keys.windows(2).find(|pair| pair[1].0.starts_with(&pair[0].0));
    clash.map(|pair| pair[1].1.clone())
}

/// Merges all sources, lowest first, and refuses what the defaults do not know.
pub(super) fn merge(file: Option<&Path>, variables: Variables) -> Result<Keys, SettingsError> {
    let mut variables = variables.settings()?;
    let defaults = Config::builder()
        .add_source(File::from_str(DEFAULTS, FileFormat::Toml))
        .build()
        .expect("config/default.toml is tested to be TOML");
    let mut merged = Config::builder().add_source(defaults.clone());
    let mut lines = Lines::default();
    if let Some(file) = file {
        let text = read(file)?;
        lines = Lines::of(&text);
        merged = merged.add_source(File::from_str(&text, FileFormat::Toml));
    }
    let mut urls = Config::builder();
    for (variable, key) in URLS {
        if let Some(url) = variables.remove(variable) {
            let value = Value::new(Some(&variable.to_owned()), url);
            urls = urls.set_override(key, value).expect("the two keys are paths");
        }
    }
    merged = merged.add_source(urls.build().expect("two overrides make no error"));
    let mut names: Vec<_> = variables.keys().cloned().collect();
    names.sort();
    let environment = Environment::with_prefix(PREFIX)
        .prefix_separator(SEPARATOR)
        .separator(SEPARATOR)
        .ignore_empty(true)
        .source(Some(variables.into_iter().collect()));
    let config = merged.add_source(environment).build();
    // The names are all that can be wrong here: a part of one that is no key.
    let config = config.map_err(|_| SettingsError::Variable(names.join(", ")))?;
    let file = file.map_or_else(|| "config/default.toml".to_owned(), |file| file.display().to_string());
    Keys::of(&config, &defaults, file, lines)
}

/// The text of a file that is TOML. `config` says neither file nor line of what is not.
fn read(file: &Path) -> Result<String, SettingsError> {
    let text = fs::read_to_string(file)
        .map_err(|error| SettingsError::Unreadable { file: file.to_owned(), reason: error.kind() })?;
    match text.parse::<toml::Table>() {
        Ok(_) => Ok(text),
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start).min(text.len());
            let line = 1 + text.get(..start).unwrap_or_default().matches('\n').count();
            // One line, and without the snippet, which may hold a secret.
            let reason = error.message().lines().next().unwrap_or("not TOML").to_owned();
            Err(SettingsError::Syntax { file: file.to_owned(), line, reason })
        }
    }
}
