//! The arguments of a command, gathered one by one.

use fred::{bytes::Bytes, bytes_utils::Str, types::Value};

/// Words that follow a command's name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arguments {
    words: Vec<Value>,
    /// Which of them is for the time after which a script does nothing.
    limit: Option<usize>,
}

impl Arguments {
    /// Those of `EVALSHA` and `EVAL`, whose first is put in front later.
    pub(crate) fn of_keys(keys: impl IntoIterator<Item = Bytes, IntoIter: ExactSizeIterator>) -> Self {
        let keys = keys.into_iter();
        Self::default().number(keys.len() as u64).keys(keys)
    }

    /// Adds names of keys.
    pub(crate) fn keys(mut self, keys: impl IntoIterator<Item = Bytes>) -> Self {
        self.words.extend(keys.into_iter().map(Value::Bytes));
        self
    }

    /// Adds a text that is known beforehand.
    pub(crate) fn word(mut self, word: &'static str) -> Self {
        self.words.push(Str::from_static(word).into());
        self
    }

    /// Adds a number.
    pub(crate) fn number(mut self, number: u64) -> Self {
        // Numbers travel as text either way; as such they need not fit a signed one.
        self.words.push(number.to_string().into());
        self
    }

    /// Adds bytes.
    pub(crate) fn bytes(mut self, bytes: impl Into<Bytes>) -> Self {
        self.words.push(bytes.into().into());
        self
    }

    /// Adds that the time is the engine's own, and place for the latest one.
    pub(crate) fn own_time(mut self) -> Self {
        self.limit = Some(self.words.len());
        self.word("")
    }

    /// Whether they have place for it.
    pub(crate) fn are_timed(&self) -> bool {
        self.limit.is_some()
    }

    /// All of them, after the script's name or text; it does nothing after that time, in microseconds of the engine's clock.
    pub(crate) fn after(&self, first: &Str, not_after: Option<u64>) -> Vec<Value> {
        let mut all = Vec::with_capacity(self.words.len() + 1);
        all.push(first.clone().into());
        all.extend(self.words.iter().cloned());
        if let (Some(at), Some(limit)) = (self.limit, not_after) {
            all[at + 1] = format!("<{limit}").into();
        }
        all
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Value> {
        self.words.clone()
    }
}
