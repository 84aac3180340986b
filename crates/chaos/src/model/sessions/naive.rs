//! For each rule of the session protocol, a size in which a variant without it fails, and the promise that it breaks.

use super::{
    Rule,
    promise::{CHANGES_LAST, DEAD_STAYS_DEAD, LIVE_IS_LIVE},
    size::{CALM, Size},
};

impl Rule {
    pub(super) fn shown_by(self) -> (Size, Option<&'static str>) {
        match self {
            Self::FillUnderLease
            | Self::LaterVersionOnly
            | Self::PublishWhatIsFound
            | Self::RefusalEndsLease => (CALM, Some(DEAD_STAYS_DEAD)),
            Self::EntryBearsStamp | Self::LeaseBearsStamp => (CALM.losses(1), Some(DEAD_STAYS_DEAD)),
            Self::PublishWithoutLease | Self::LookUpWithNewNonce => {
                (CALM.lost_answers(1), Some(DEAD_STAYS_DEAD))
            }
            Self::AnnounceWithNewNonce => (Size { logins: 2, ..CALM }.lost_answers(1), Some(DEAD_STAYS_DEAD)),
            Self::LifetimeFromTicket => (CALM.cache_ttl(1).lost_answers(1), Some(DEAD_STAYS_DEAD)),
            Self::OutdatedGoes => (CALM.cache_ttl(1), Some(DEAD_STAYS_DEAD)),
            Self::OwnLoad => (Size { readers: 2, ..CALM }, Some(DEAD_STAYS_DEAD)),
            Self::NewerAsksStore => (CALM.lost_answers(1), Some(LIVE_IS_LIVE)),
            Self::AcknowledgeLast => (CALM, Some(CHANGES_LAST)),
            Self::ForeignGoes => (CALM.losses(2).lost_answers(1), None),
        }
    }
}
