//! What both models have in common: a whole protocol in several sizes, and variants that each lack one rule.

use std::{
    fmt::{Debug, Display},
    hash::Hash,
};

use stateright::Model;

/// How much of a protocol is explored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Seconds, for every run of the tests.
    Small,
    /// Minutes.
    Large,
}

/// A protocol within bounds, as a model.
pub trait Protocol:
    Model<
        State: Clone + Debug + Display + Hash + PartialEq + Send + Sync,
        Action: Clone + Display + PartialEq,
    > + Clone
    + Send
    + Sync
    + 'static
{
    /// What it is called.
    const NAME: &'static str;

    /// What may happen in its runs, for people.
    fn bounds(&self) -> String;

    /// The protocol as it should be. All promises hold.
    fn whole(scale: Scale) -> Vec<Self>;

    /// The protocol without one of its rules, for each of them.
    fn naive() -> Vec<Naive<Self>>;
}

/// So many of something, in words.
pub(super) fn counted(number: impl Into<u32>, what: &str) -> String {
    let number = number.into();
    format!(
        "{number} {what}{}",
        match what {
            _ if number == 1 => "",
            _ if what.ends_with(['s', 'h']) => "es",
            _ => "s",
        }
    )
}

/// A protocol that lacks a rule.
#[derive(Debug, Clone)]
pub struct Naive<P> {
    /// What it does wrong.
    pub flaw: String,
    /// The variant, in a size that is large enough to show it.
    pub model: P,
    /// The promise that it breaks. `None`: none, as the rule is there for caution.
    pub breaks: Option<&'static str>,
}
