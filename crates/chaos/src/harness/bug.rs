//! The bugs that a build for tests can be given, to see whether the checker finds them.

use std::str::FromStr;

use crate::checker::{Promise, Report};

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// Any reader may fill the cache.
    NoLease,
    /// A logout deletes the entry and leaves the lease.
    LogoutKeepsLease,
    /// Entries and leases bear no stamp of the engine's run.
    NoStamp,
    /// Epochs are added without a look at what was added before.
    NoEpochGuard,
    /// Calls whose reply was lost are sent again as a new batch.
    ResendLostReply,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::NoLease, Self::LogoutKeepsLease, Self::NoStamp, Self::NoEpochGuard, Self::ResendLostReply];

    /// As `TOLLBAR_SABOTAGE` names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoLease => "no-lease",
            Self::LogoutKeepsLease => "logout-keeps-lease",
            Self::NoStamp => "no-stamp",
            Self::NoEpochGuard => "no-epoch-guard",
            Self::ResendLostReply => "resend-lost-reply",
        }
    }

    /// How often what this bug does was found.
    pub fn found(self, report: &Report) -> u64 {
        let (promise, about) = match self {
            Self::NoLease | Self::LogoutKeepsLease | Self::NoStamp => (Promise::P2, "session"),
            Self::NoEpochGuard => (Promise::P3, "ledger"),
            Self::ResendLostReply => (Promise::P3, "live totals"),
        };
        let of_it = report.broken.iter().filter(|(sort, _)| (sort.promise, sort.about) == (promise, about));
        of_it.map(|(_, times)| times).sum()
    }
}

impl FromStr for Bug {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let names = Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|bug| bug.name() == name).ok_or_else(|| format!("one of {names}"))
    }
}
