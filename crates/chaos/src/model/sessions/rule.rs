//! The rules of the session protocol. Each has a naive variant that does without it.

use std::fmt;

/// What the protocol asks of everyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// An absent entry is written only under the lease that is out.
    FillUnderLease,
    /// Over a present entry only a later version is written.
    LaterVersionOnly,
    /// An entry of another run of the engine is a miss.
    EntryBearsStamp,
    /// A lease of another run of the engine has lapsed.
    LeaseBearsStamp,
    /// A publish that is refused ends the lease that is out, too.
    RefusalEndsLease,
    /// A logout that finds nothing to change publishes what it finds.
    PublishWhatIsFound,
    /// A change whose first step failed publishes even where it gets no lease.
    PublishWithoutLease,
    /// A lifetime is counted from the look-up before the load.
    LifetimeFromTicket,
    /// A set that is out of date goes, also where its successor comes too late to be written.
    OutdatedGoes,
    /// A token above the entry's version is a question for the durable tier.
    NewerAsksStore,
    /// A reader is answered by a load that began after it asked.
    OwnLoad,
    /// A change is acknowledged after its commit.
    AcknowledgeLast,
    /// A look-up that is sent again bears another nonce.
    LookUpWithNewNonce,
    /// An announcement that is sent again bears another nonce.
    AnnounceWithNewNonce,
    /// What bears another stamp is deleted by whoever meets it. For caution: no stamp ever comes back.
    ForeignGoes,
}

impl Rule {
    pub(super) const ALL: [Self; 15] = [
        Self::FillUnderLease,
        Self::LaterVersionOnly,
        Self::EntryBearsStamp,
        Self::LeaseBearsStamp,
        Self::RefusalEndsLease,
        Self::PublishWhatIsFound,
        Self::PublishWithoutLease,
        Self::LifetimeFromTicket,
        Self::OutdatedGoes,
        Self::NewerAsksStore,
        Self::OwnLoad,
        Self::AcknowledgeLast,
        Self::LookUpWithNewNonce,
        Self::AnnounceWithNewNonce,
        Self::ForeignGoes,
    ];
}

/// What happens where it is not kept.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FillUnderLease => "no lease",
            Self::LaterVersionOnly => "no version: any publish writes over a present entry",
            Self::EntryBearsStamp => "no stamp on entries",
            Self::LeaseBearsStamp => "no stamp on leases",
            Self::RefusalEndsLease => "a refused publish leaves the lease",
            Self::PublishWhatIsFound => "a logout that finds nothing publishes nothing",
            Self::PublishWithoutLease => "a change that gets no lease publishes nothing",
            Self::LifetimeFromTicket => "a lifetime is counted from the publish",
            Self::OutdatedGoes => "a set that is out of date stays where its successor comes too late",
            Self::NewerAsksStore => "a token above the entry's version is dead",
            Self::OwnLoad => "a reader joins a load that is under way",
            Self::AcknowledgeLast => "a logout is acknowledged before its commit",
            Self::LookUpWithNewNonce => "a look-up that is sent again bears its old nonce",
            Self::AnnounceWithNewNonce => "an announcement that is sent again bears its old nonce",
            Self::ForeignGoes => "what bears another stamp stays",
        })
    }
}
