//! The arguments of a command, gathered one by one.

use fred::{bytes::Bytes, bytes_utils::Str, types::Value};

/// Words that follow a command's name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arguments(Vec<Value>);

impl Arguments {
    /// Those of `EVALSHA` and `EVAL`, whose first is put in front later.
    pub(crate) fn of_keys(keys: impl IntoIterator<Item = Bytes, IntoIter: ExactSizeIterator>) -> Self {
        let keys = keys.into_iter();
        Self::default().number(keys.len() as u64).keys(keys)
    }

    /// Adds names of keys.
    pub(crate) fn keys(mut self, keys: impl IntoIterator<Item = Bytes>) -> Self {
        self.0.extend(keys.into_iter().map(Value::Bytes));
        self
    }

    /// Adds a text that is known beforehand.
    pub(crate) fn word(mut self, word: &'static str) -> Self {
        self.0.push(Str::from_static(word).into());
        self
    }

    /// Adds a number.
    pub(crate) fn number(mut self, number: u64) -> Self {
        // Numbers travel as text either way; as such they need not fit a signed one.
        self.0.push(number.to_string().into());
        self
    }

    /// Adds bytes.
    pub(crate) fn bytes(mut self, bytes: impl Into<Bytes>) -> Self {
        self.0.push(bytes.into().into());
        self
    }

    /// All of them, after the script's name or text.
    pub(crate) fn after(&self, first: &Str) -> Vec<Value> {
        let mut all = Vec::with_capacity(self.0.len() + 1);
        all.push(first.clone().into());
        all.extend(self.0.iter().cloned());
        all
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Value> {
        self.0.clone()
    }
}
