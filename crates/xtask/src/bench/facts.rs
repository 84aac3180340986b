//! What tools print: `name=number`, a line each.

use std::collections::BTreeMap;

use crate::error::XtaskError;

/// Numbers by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Facts(BTreeMap<String, f64>);

impl Facts {
    /// Reads what a tool has printed; other lines are talk.
    pub(crate) fn parse(text: &str) -> Self {
        let fact = |line: &str| {
            let (name, value) = line.split_once('=')?;
            Some((name.to_owned(), value.trim().parse().ok()?))
        };
        Self(text.lines().filter_map(fact).collect())
    }

    /// A number that must be there.
    pub(crate) fn get(&self, name: &str) -> Result<f64, XtaskError> {
        let found = self.0.get(name).copied();
        found.ok_or_else(|| XtaskError::Measured(format!("a tool did not say {name}: {self:?}")))
    }

    /// All whose names begin so, without the beginning.
    pub(crate) fn beginning<'a>(&'a self, start: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.0.iter().filter_map(move |(name, value)| Some((name.strip_prefix(start)?, *value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_and_talk_is_not() {
        let facts = Facts::parse("Running 2s test @ http://x\na=1\n  2 threads\nb_x=2.5\nb_y=nine\n");
        assert!((facts.get("a").unwrap() - 1.0).abs() < f64::EPSILON);
        assert!(facts.get("c").is_err());
        assert_eq!(facts.beginning("b_").collect::<Vec<_>>(), [("x", 2.5)]);
    }
}
