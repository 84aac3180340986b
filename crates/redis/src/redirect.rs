//! Answers that say that a command was not executed, and what is to be done about it. Even what counts may then be sent again.

use fred::error::Error;

use crate::address::Address;

/// Why a command was not executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotExecuted {
    /// The engine does not know the script: it is told the text.
    UnknownScript,
    /// Another server has the slot now.
    Moved(Address),
    /// The slot is moving, and has none of the keys any more: the server that it moves to takes this one command.
    Ask(Address),
    /// The slot is moving, and has some of the keys: later.
    TryAgain,
}

impl NotExecuted {
    /// What an error of this kind says; `None` for any other. `asked` is the host that gave it.
    pub(crate) fn of(error: &Error, asked: &str) -> Option<Self> {
        let mut words = error.details().split_ascii_whitespace();
        let named = |words: &mut dyn Iterator<Item = &str>| Address::of_engine(words.nth(1)?, asked);
        match words.next()? {
            "NOSCRIPT" => Some(Self::UnknownScript),
            "MOVED" => named(&mut words).map(Self::Moved),
            "ASK" => named(&mut words).map(Self::Ask),
            "TRYAGAIN" => Some(Self::TryAgain),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use fred::error::ErrorKind;

    use super::*;

    #[test]
    fn tells_what_was_not_executed_from_what_failed() {
        let of = |text: &'static str| NotExecuted::of(&Error::new(ErrorKind::Unknown, text), "h");
        let address = |host: &str| Address { host: host.into(), port: 7001 };
        assert_eq!(of("NOSCRIPT No matching script. Please use EVAL."), Some(NotExecuted::UnknownScript));
        assert_eq!(of("MOVED 3999 10.0.0.1:7001"), Some(NotExecuted::Moved(address("10.0.0.1"))));
        assert_eq!(of("MOVED 3999 :7001"), Some(NotExecuted::Moved(address("h"))));
        assert_eq!(of("ASK 3999 ::1:7001"), Some(NotExecuted::Ask(address("::1"))));
        let again = "TRYAGAIN Multiple keys request during rehashing of slot";
        assert_eq!(of(again), Some(NotExecuted::TryAgain));
        for other in ["", "MOVED", "MOVED 3999", "MOVED 3999 ?:7001", "ASKED 1 h:1", "ERR x", "OOM x"] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
