//! Whose throughput is compared.

use super::part::Part;

/// A server that takes the load of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Hello,
    Steps,
    Admitted,
    /// With many policies before the one that holds.
    Listed,
    /// As nginx asks.
    Authz,
    Denied,
    Embedded,
    Peer,
    PeerKept,
}

impl Subject {
    /// In the order of a round.
    pub(crate) const ALL: [Self; 9] = [
        Self::Hello,
        Self::Steps,
        Self::Admitted,
        Self::Listed,
        Self::Authz,
        Self::Denied,
        Self::Embedded,
        Self::Peer,
        Self::PeerKept,
    ];

    /// The part that measures it.
    pub(crate) fn part(self) -> Part {
        match self {
            Self::Hello => Part::Hello,
            Self::Steps => Part::Steps,
            Self::Admitted => Part::Admitted,
            Self::Listed => Part::Listed,
            Self::Authz => Part::Authz,
            Self::Denied => Part::Denied,
            Self::Embedded => Part::Embedded,
            Self::Peer => Part::Peer,
            Self::PeerKept => Part::PeerKept,
        }
    }

    /// A word for file names and policies.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Steps => "steps",
            Self::Admitted => "admitted",
            Self::Listed => "listed",
            Self::Authz => "authz",
            Self::Denied => "denied",
            Self::Embedded => "embedded",
            Self::Peer => "peer",
            Self::PeerKept => "peer-kept",
        }
    }

    /// A name for readers.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Hello => "bare actix-web, `{}`",
            Self::Steps => "a trip to Redis a step",
            Self::Admitted => "Tollbar, all admitted",
            Self::Listed => "the same with 1,000 policies",
            Self::Authz => "Tollbar, asked by a proxy, all admitted",
            Self::Denied => "Tollbar, all denied",
            Self::Embedded => "Tollbar embedded, SQLite + memory",
            Self::Peer => "actix-session + actix-limitation",
            Self::PeerKept => "the same, connections kept",
        }
    }

    /// Whether it is Tollbar as it ships.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Admitted | Self::Listed | Self::Authz | Self::Denied | Self::Embedded)
    }

    /// Whether it is the binary itself.
    pub(crate) fn is_binary(self) -> bool {
        matches!(self, Self::Admitted | Self::Listed | Self::Authz | Self::Denied)
    }

    /// What it must answer to every call.
    pub(crate) fn status(self) -> u16 {
        if self == Self::Denied { 429 } else { 200 }
    }
}
