//! The one error of every store: what failed, and whether trying again may help.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use crate::domain::Incarnation;

/// What callers tell apart beyond transient or not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Engine,
    Silence,
    Overload,
    Fence,
    DurableTier,
}

/// An engine did not do what it was asked.
///
/// The message names the operation only: what the engine said is the source, for logs, and never for a client.
#[derive(Clone, thiserror::Error)]
#[error("{operation} {}", if *.transient { "failed for now" } else { "failed" })]
pub struct StoreError {
    operation: &'static str,
    transient: bool,
    cause: Cause,
    noted_under: Option<Incarnation>,
    #[source]
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// The engine is away, slow or full: the same call may succeed later. Clients hear 503.
    pub fn transient(operation: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(operation, true, source.into())
    }

    /// The engine answered, and trying again will not change it: a mistake of ours or damaged data.
    pub fn permanent(operation: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(operation, false, source.into())
    }

    fn new(operation: &'static str, transient: bool, source: Box<dyn Error + Send + Sync>) -> Self {
        let source = Some(Arc::from(source));
        Self { operation, transient, cause: Cause::Engine, noted_under: None, source }
    }

    /// The engine did not answer within the deadline; whether it acted is not known.
    pub fn deadline(operation: &'static str, deadline: Duration) -> Self {
        Self::silence(operation, format!("no answer within {deadline:?}"))
    }

    /// The engine did not get to it within the time that it had, by its own word.
    pub fn silence(operation: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { cause: Cause::Silence, ..Self::transient(operation, source) }
    }

    /// A bounded queue in front of the engine is full; nothing was sent.
    pub fn overloaded(operation: &'static str) -> Self {
        Self { cause: Cause::Overload, ..Self::transient(operation, "too many callers wait already") }
    }

    /// The engine heeds this process' incarnation no more, for another process has adopted its counts; nothing was changed.
    pub fn fenced(operation: &'static str) -> Self {
        Self {
            cause: Cause::Fence,
            ..Self::transient(operation, "another process has adopted the counts of this one")
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        self.transient
    }

    /// Whether it was only too much that was asked: the engine itself may be well.
    pub fn is_overloaded(&self) -> bool {
        self.cause == Cause::Overload
    }

    /// The same as a failure of the durable tier, behind a live one that may be well.
    #[must_use]
    pub fn of_durable_tier(self) -> Self {
        if self.is_outage() { Self { cause: Cause::DurableTier, ..self } } else { self }
    }

    /// The same of a call that the live tier may have admitted and noted for this incarnation.
    #[must_use]
    pub fn perhaps_noted(self, under: Incarnation) -> Self {
        Self { noted_under: Some(under), ..self }
    }

    /// The only incarnation that may count the call all the same, if the live tier may have noted it.
    pub fn noted_under(&self) -> Option<Incarnation> {
        self.noted_under
    }

    /// Whether the engine that was asked was away: no other reason to fail, and no tier behind it.
    pub fn is_outage(&self) -> bool {
        self.transient && matches!(self.cause, Cause::Engine | Cause::Silence)
    }

    /// Whether the engine said nothing at all, in the time that it had.
    pub fn is_silence(&self) -> bool {
        self.cause == Cause::Silence
    }

    /// Whether it must go on as another incarnation.
    pub fn is_fenced(&self) -> bool {
        self.cause == Cause::Fence
    }

    /// In one word of few, for metrics.
    pub(crate) fn kind(&self) -> &'static str {
        match self.cause {
            Cause::Silence => "no answer",
            Cause::Overload => "overload",
            Cause::Fence => "fenced",
            Cause::Engine | Cause::DurableTier if self.transient => "transient",
            Cause::Engine | Cause::DurableTier => "permanent",
        }
    }

    /// What was asked of the engine.
    pub fn operation(&self) -> &'static str {
        self.operation
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut source = self.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_the_operation_and_the_source_is_kept() {
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "10.0.0.1 refused");
        let error = StoreError::transient("load sessions", refused);
        assert_eq!(error.to_string(), "load sessions failed for now");
        assert_eq!(format!("{error:?}"), "load sessions failed for now: 10.0.0.1 refused");
        assert!(error.is_transient() && !StoreError::permanent("x", "y").is_transient());
    }
}
