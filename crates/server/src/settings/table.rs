//! One table of a list: each member is taken once, and none may be left.

use config::{Map, Value, ValueKind};

use super::{SettingsError, keys::Keys};

/// A table that is being read.
pub(super) struct Table<'a> {
    keys: &'a Keys,
    path: String,
    whole: Value,
    rest: Map<String, Value>,
}

impl<'a> Table<'a> {
    /// Begins to read the item of a list at this path, such as `policies[0]`.
    pub(super) fn of(keys: &'a Keys, path: String, item: Value) -> Result<Self, SettingsError> {
        let ValueKind::Table(rest) = item.kind.clone() else {
            return Err(keys.bad(&path, &item, "it must be a table"));
        };
        Ok(Self { keys, path, whole: item, rest })
    }

    /// The path of a member.
    pub(super) fn key(&self, member: &str) -> String {
        format!("{}.{member}", self.path)
    }

    /// A member that must be there.
    pub(super) fn take(&mut self, member: &str) -> Result<Value, SettingsError> {
        let lacks = || {
            let rule = format!("it must be complete: it lacks {member}");
            self.keys.bad(&self.path, &self.whole, rule)
        };
        self.rest.remove(member).ok_or_else(lacks)
    }

    /// A member that may be there.
    pub(super) fn take_if_any(&mut self, member: &str) -> Option<Value> {
        self.rest.remove(member)
    }

    /// Reads one value by a rule; what the rule says, where it refuses, is a whole sentence.
    pub(super) fn text<T>(
        &self,
        member: &str,
        value: &Value,
        rule: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, SettingsError> {
        let refused = |rule| self.keys.bad(&self.key(member), value, rule);
        let text = value.clone().into_string().map_err(|_| refused("it must be one value".to_owned()))?;
        rule(&text).map_err(refused)
    }

    /// The same for a member that must be there.
    pub(super) fn required<T>(
        &mut self,
        member: &str,
        rule: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, SettingsError> {
        let value = self.take(member)?;
        self.text(member, &value, rule)
    }

    /// The same for a member that may be there.
    pub(super) fn optional<T>(
        &mut self,
        member: &str,
        rule: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, SettingsError> {
        let Some(value) = self.take_if_any(member) else { return Ok(None) };
        self.text(member, &value, rule).map(Some)
    }

    /// One of several words, or the default.
    pub(super) fn choice<T: Copy + Default>(
        &mut self,
        member: &str,
        choices: &[(&str, T)],
    ) -> Result<T, SettingsError> {
        let chosen = self.optional(member, |text| {
            let found = choices.iter().find(|(word, _)| *word == text);
            found.map(|(_, choice)| *choice).ok_or_else(|| {
                let words: Vec<_> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
                format!("it must be one of {}", words.join(", "))
            })
        });
        chosen.map(Option::unwrap_or_default)
    }

    /// The items of a list, with their paths.
    pub(super) fn list(
        &self,
        member: &str,
        value: &Value,
        of: &str,
    ) -> Result<Vec<(String, Value)>, SettingsError> {
        let ValueKind::Array(items) = value.kind.clone() else {
            return Err(self.keys.bad(&self.key(member), value, format!("it must be a list of {of}")));
        };
        let path = |at| format!("{}[{at}]", self.key(member));
        Ok(items.into_iter().enumerate().map(|(at, item)| (path(at), item)).collect())
    }

    /// That the table as a whole does not fit.
    pub(super) fn refused(&self, rule: &impl ToString) -> SettingsError {
        self.keys.bad(&self.path, &self.whole, rule.to_string())
    }

    /// That a member does not fit.
    pub(super) fn refused_member(&self, member: &str, value: &Value, rule: &impl ToString) -> SettingsError {
        self.keys.bad(&self.key(member), value, rule.to_string())
    }

    /// Refuses what is left.
    pub(super) fn end(&self) -> Result<(), SettingsError> {
        match self.rest.iter().next() {
            Some((member, value)) => Err(self.keys.unknown(&self.key(member), value)),
            None => Ok(()),
        }
    }
}
