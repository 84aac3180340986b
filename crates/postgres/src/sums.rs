//! The sums of an epoch as columns, in the order in which every process locks the rows.

use std::num::TryFromIntError;

use tollbar_core::domain::Tally;

/// Rows for one statement: few enough for its time-out, many enough for few round trips.
const CHUNK: usize = 10_000;

/// Some of the sums, as one array for each column.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Columns<'s> {
    pub(crate) apis: Vec<&'s str>,
    pub(crate) users: Vec<i64>,
    pub(crate) calls: Vec<i64>,
}

/// Sorts the sums by API and user, so that two who add at once never wait for each other, and cuts them into chunks.
pub(crate) fn columns(sums: &[Tally]) -> Result<Vec<Columns<'_>>, TryFromIntError> {
    let mut sorted: Vec<_> = sums.iter().collect();
    sorted.sort_unstable_by(|a, b| (&a.api, a.user).cmp(&(&b.api, b.user)));
    sorted
        .chunks(CHUNK)
        .map(|chunk| {
            Ok(Columns {
                apis: chunk.iter().map(|sum| sum.api.as_str()).collect(),
                users: chunk.iter().map(|sum| sum.user.as_i64()).collect(),
                calls: chunk.iter().map(|sum| i64::try_from(sum.calls)).collect::<Result<_, _>>()?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use tollbar_core::domain::{ApiName, UserId};

    use super::*;

    fn tally(api: &str, user: u64, calls: u64) -> Tally {
        Tally { api: ApiName::new(api).unwrap(), user: UserId::new(user).unwrap(), calls }
    }

    #[test]
    fn sums_are_sorted_and_cut() {
        let sums: Vec<_> = (1..=10_001).rev().map(|user| tally("a", user, user)).collect();
        let chunks = columns(&sums).unwrap();
        assert_eq!(chunks.iter().map(|chunk| chunk.users.len()).collect::<Vec<_>>(), [10_000, 1]);
        assert!(chunks[0].users.is_sorted() && chunks[1].users == [10_001]);
        assert_eq!(chunks[0].users, chunks[0].calls);
        assert_eq!(columns(&[]).unwrap(), []);
    }

    #[test]
    fn a_sum_that_no_column_holds_is_refused() {
        assert!(columns(&[tally("a", 1, u64::MAX)]).is_err());
    }
}
