//! For each rule of the counting protocol, a size in which a variant without it fails, and the promise that it breaks.

use super::{
    Rule,
    promise::{BOARD_IS_COMPLETE, COUNTED_WERE_SENT, LEDGER_IS_COMPLETE, RAISES_END},
    size::{CALM, Size},
};

impl Rule {
    pub(super) fn shown_by(self) -> (Size, &'static str) {
        let one = CALM.calls(1);
        match self {
            Self::Drain => (one, LEDGER_IS_COMPLETE),
            Self::Fence => (one.lapses(1), LEDGER_IS_COMPLETE),
            Self::EpochGuard | Self::NeverMerge | Self::SendOnce => (one.lost_answers(1), COUNTED_WERE_SENT),
            Self::NotLate => (one.without_redis(0).lost_answers(1), COUNTED_WERE_SENT),
            Self::LateWait => (CALM.without_redis(0).crashes(1), LEDGER_IS_COMPLETE),
            Self::AnywayUnderOneName => (CALM.without_redis(0).lapses(1).lost_answers(1), COUNTED_WERE_SENT),
            Self::AdoptionGuard => (one.crashes(1), COUNTED_WERE_SENT),
            Self::AskAfterFence => (CALM.calls(3).lapses(1), LEDGER_IS_COMPLETE),
            Self::AdoptionCloses => (one.without_redis(0).lapses(1), LEDGER_IS_COMPLETE),
            Self::TwoEpochs => (CALM.crashes(1), LEDGER_IS_COMPLETE),
            Self::BeginFirst | Self::ForgetLast => (one.crashes(1), LEDGER_IS_COMPLETE),
            Self::AddEmpty => (CALM.calls(3).crashes(1).lost_answers(1), LEDGER_IS_COMPLETE),
            Self::DropSums => (one.lapses(1), COUNTED_WERE_SENT),
            Self::AcknowledgeLast => (one.without_redis(0).crashes(1), LEDGER_IS_COMPLETE),
            Self::SettleOrRaise => (one.without_redis(1), BOARD_IS_COMPLETE),
            Self::RaiseAgain => (CALM.without_redis(2), BOARD_IS_COMPLETE),
            Self::AdoptionTakesMark => (CALM.without_redis(0).crashes(1), BOARD_IS_COMPLETE),
            Self::AdoptionEndsLast => {
                (Size { processes: 3, ..CALM }.without_redis(0).crashes(2), BOARD_IS_COMPLETE)
            }
            Self::MarkBearsStamp => (one.losses(1), BOARD_IS_COMPLETE),
            Self::RaiseComparesMark | Self::RaiseComparesStamp => (one.losses(2), BOARD_IS_COMPLETE),
            Self::RaisersJoin => (one.losses(1), RAISES_END),
        }
    }
}
