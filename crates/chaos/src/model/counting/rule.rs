//! The rules of the counting protocol. Each has a naive variant that does without it, and fails.

use std::fmt;

/// What the protocol asks of everyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// An epoch is added once none of its batches is in flight, or what is in flight is counted in the next one.
    Drain,
    /// What is counted in the next epoch is acknowledged with that: the notes of its own are worth nothing.
    LateWait,
    /// Who adopts an author fences it first, so that nothing is admitted for it any more.
    Fence,
    /// The transaction adds an epoch only if the author's flushed epoch is lower.
    EpochGuard,
    /// The transaction of an adoption compares each epoch in the same way.
    AdoptionGuard,
    /// Who adopts asks for the flushed epoch after the fence, not before it.
    AskAfterFence,
    /// An adoption closes its author, so that it adds nothing of its own any more.
    AdoptionCloses,
    /// Who adopts reads two epochs: the closed one and the open one.
    TwoEpochs,
    /// A call whose answer is lost is not sent again.
    SendOnce,
    /// Redis does nothing for a batch that nobody waits for any more.
    NotLate,
    /// A call whose answer is lost is taken without Redis by the same author or not at all.
    AnywayUnderOneName,
    /// An author is registered before its first call.
    BeginFirst,
    /// An epoch is added also where it has no sums.
    AddEmpty,
    /// An epoch whose transaction is in doubt is repeated as it was, and not merged into the next one.
    NeverMerge,
    /// What is pending of an epoch is forgotten after its transaction.
    ForgetLast,
    /// An author that is told to be fenced drops its sums, for whoever adopts it has them.
    DropSums,
    /// A call without Redis is acknowledged after the transaction of its epoch.
    AcknowledgeLast,
    /// Where an epoch that is in the ledger is not settled, a whole raise makes up for it.
    SettleOrRaise,
    /// What is not settled while a raise is under way is a reason for another one.
    RaiseAgain,
    /// An adoption takes the mark away: its author may have died between a transaction and its settling.
    AdoptionTakesMark,
    /// An adoption is over once it is settled, and not once its author is closed.
    AdoptionEndsLast,
    /// The mark of a sound board bears the stamp of the engine's run.
    MarkBearsStamp,
    /// A raise ends only where its own mark still stands.
    RaiseComparesMark,
    /// A raise ends only in the run of the engine in which it began.
    RaiseComparesStamp,
    /// Who finds a raise under way joins it, and does not take it over.
    RaisersJoin,
}

impl Rule {
    pub(super) const ALL: [Self; 25] = [
        Self::Drain,
        Self::LateWait,
        Self::Fence,
        Self::EpochGuard,
        Self::AdoptionGuard,
        Self::AskAfterFence,
        Self::AdoptionCloses,
        Self::TwoEpochs,
        Self::SendOnce,
        Self::NotLate,
        Self::AnywayUnderOneName,
        Self::BeginFirst,
        Self::AddEmpty,
        Self::NeverMerge,
        Self::ForgetLast,
        Self::DropSums,
        Self::AcknowledgeLast,
        Self::SettleOrRaise,
        Self::RaiseAgain,
        Self::AdoptionTakesMark,
        Self::AdoptionEndsLast,
        Self::MarkBearsStamp,
        Self::RaiseComparesMark,
        Self::RaiseComparesStamp,
        Self::RaisersJoin,
    ];
}

/// What happens where it is not kept.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Drain => "no drain",
            Self::LateWait => "a call that came too late for its epoch is acknowledged at once",
            Self::Fence => "no fence",
            Self::EpochGuard => "no epoch guard",
            Self::AdoptionGuard => "no epoch guard in an adoption",
            Self::AskAfterFence => "the flushed epoch is asked for before the fence",
            Self::AdoptionCloses => "an adoption does not close its author",
            Self::TwoEpochs => "an adoption reads one epoch",
            Self::SendOnce => "a call whose answer is lost is sent again as a new batch",
            Self::NotLate => "a call that was taken without Redis is executed late all the same",
            Self::AnywayUnderOneName => {
                "a call whose answer is lost is taken without Redis by another author"
            }
            Self::BeginFirst => "an author is registered after its first call",
            Self::AddEmpty => "an epoch without sums is skipped",
            Self::NeverMerge => "an epoch in doubt is merged into the next",
            Self::ForgetLast => "what is pending is forgotten before the transaction",
            Self::DropSums => "a fenced author takes its sums along",
            Self::AcknowledgeLast => "a call without Redis is acknowledged at once",
            Self::SettleOrRaise => "a settling that fails is forgotten",
            Self::RaiseAgain => "a settling that fails during a raise is forgotten",
            Self::AdoptionTakesMark => "an adoption leaves the mark",
            Self::AdoptionEndsLast => "an adoption is over before it is settled",
            Self::MarkBearsStamp => "the mark bears no stamp",
            Self::RaiseComparesMark => "a raise ends without a look at its mark",
            Self::RaiseComparesStamp => "a raise ends without a look at the stamp",
            Self::RaisersJoin => "a raise takes over from the one under way",
        })
    }
}
