//! Reading answers: what has another shape than a script gives is a mistake of ours or a damaged engine.

use fred::types::Value;
use tollbar_core::{StoreError, domain::Timestamp};

/// An answer of another shape than was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an answer of another shape than was asked for")]
pub(crate) struct Misshapen;

impl Misshapen {
    /// As the error of a call.
    pub(crate) fn of(operation: &'static str) -> impl FnOnce(Self) -> StoreError {
        move |misshapen| StoreError::permanent(operation, misshapen)
    }
}

/// The items of an array.
pub(crate) fn items(answer: Value) -> Result<Vec<Value>, Misshapen> {
    match answer {
        Value::Array(items) => Ok(items),
        _ => Err(Misshapen),
    }
}

/// A whole number that is not negative, as a number or as text.
pub(crate) fn number(answer: &Value) -> Result<u64, Misshapen> {
    match answer {
        Value::Integer(number) => u64::try_from(*number).map_err(|_| Misshapen),
        Value::String(text) => text.parse().map_err(|_| Misshapen),
        _ => Err(Misshapen),
    }
}

/// A time in microseconds.
pub(crate) fn time(answer: &Value) -> Result<Timestamp, Misshapen> {
    number(answer).map(Timestamp::from_micros)
}

/// The bytes of a string, whatever they spell.
pub(crate) fn bytes(answer: &Value) -> Result<&[u8], Misshapen> {
    answer.as_bytes().ok_or(Misshapen)
}
