//! The merged settings by key, and the readers that turn a value into what it means or into one line.

use std::{collections::BTreeMap, fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration};

use config::{Config, Map, Source, Value, ValueKind};

use super::{
    error::{SettingsError, shown},
    lines::Lines,
};

/// All values, merged, by section and key.
pub(super) struct Keys {
    values: BTreeMap<String, Value>,
    /// Where the values come from that do not say it themselves: a file's.
    file: String,
    /// Where they stand in it.
    lines: Lines,
}

impl Keys {
    /// The values of all sources; refuses the first key that the defaults do not have.
    pub(super) fn of(
        merged: &Config,
        defaults: &Config,
        file: String,
        lines: Lines,
    ) -> Result<Self, SettingsError> {
        let (keys, known) = (Self { values: leaves(merged), file, lines }, leaves(defaults));
        match keys.values.iter().find(|(key, _)| !known.contains_key(*key)) {
            Some((key, value)) => Err(keys.unknown(key, value)),
            None => Ok(keys),
        }
    }

    /// Reads a value by a rule; what the rule says, where it refuses, follows "must be".
    pub(super) fn parse<T>(
        &self,
        key: &str,
        rule: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, SettingsError> {
        let value = self.value(key)?;
        let text = value.clone().into_string().map_err(|_| self.bad(key, &value, "it must be one value"))?;
        rule(&text).map_err(|must_be| self.bad(key, &value, format!("it must be {must_be}")))
    }

    /// Reads a whole number.
    pub(super) fn number<T>(&self, key: &str, range: RangeInclusive<T>) -> Result<T, SettingsError>
    where
        T: FromStr + PartialOrd + Display,
    {
        self.parse(key, |text| {
            let number = text.parse().ok().filter(|number| range.contains(number));
            number.ok_or_else(|| format!("a whole number from {} to {}", range.start(), range.end()))
        })
    }

    /// Reads a duration such as `30m`.
    pub(super) fn duration(
        &self,
        key: &str,
        range: RangeInclusive<Duration>,
    ) -> Result<Duration, SettingsError> {
        self.parse(key, |text| {
            let said = |duration| humantime::format_duration(duration).to_string();
            let duration = humantime::parse_duration(text).ok().filter(|duration| range.contains(duration));
            duration.ok_or_else(|| {
                format!("a duration such as \"30s\", from {} to {}", said(*range.start()), said(*range.end()))
            })
        })
    }

    /// Reads one of several words.
    pub(super) fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Result<T, SettingsError> {
        self.parse(key, |text| {
            let found = choices.iter().find(|(word, _)| *word == text);
            found.map(|(_, choice)| *choice).ok_or_else(|| {
                let words: Vec<_> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
                format!("one of {}", words.join(", "))
            })
        })
    }

    /// Whether a list is in the file.
    pub(super) fn are_in_file(&self, key: &str) -> bool {
        self.lines.at(key).is_some()
    }

    /// A value as it was set.
    pub(super) fn value(&self, key: &str) -> Result<Value, SettingsError> {
        let nothing =
            || self.bad(key, &Value::new(None, ValueKind::Nil), "it must be set, and not be a section");
        self.values.get(key).cloned().ok_or_else(nothing)
    }

    /// That a value does not fit; the rule is a whole sentence.
    pub(super) fn bad(&self, key: &str, value: &Value, rule: impl Into<String>) -> SettingsError {
        SettingsError::Bad {
            key: key.to_owned(),
            value: shown(key, &plain(value)),
            origin: self.origin(key, value),
            rule: rule.into(),
        }
    }

    /// That there is no such key.
    pub(super) fn unknown(&self, key: &str, value: &Value) -> SettingsError {
        let (value, origin) = (shown(key, &plain(value)), self.origin(key, value));
        SettingsError::Unknown { key: key.to_owned(), value, origin }
    }

    fn origin(&self, key: &str, value: &Value) -> String {
        let in_file = || match self.lines.at(key) {
            Some(line) => format!("{}, line {line}", self.file),
            None => self.file.clone(),
        };
        value.origin().map_or_else(in_file, str::to_owned)
    }
}

/// A value in a message: a list or a section is not spelt out.
fn plain(value: &Value) -> String {
    match &value.kind {
        ValueKind::Table(_) => "(a section)".to_owned(),
        ValueKind::Array(_) => "(a list)".to_owned(),
        _ => value.clone().into_string().unwrap_or_default(),
    }
}

/// Every key with its value.
fn leaves(config: &Config) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    gather("", config.collect().unwrap_or_default(), &mut found);
    found
}

fn gather(section: &str, table: Map<String, Value>, found: &mut BTreeMap<String, Value>) {
    for (name, value) in table {
        let key = if section.is_empty() { name } else { format!("{section}.{name}") };
        match value.kind {
            ValueKind::Table(inner) => gather(&key, inner, found),
            _ => drop(found.insert(key, value)),
        }
    }
}
