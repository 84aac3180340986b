//! Scripts with a bug, for tests that have to find it.

use tollbar_core::sabotage::is_chosen;

/// A bug, and what of the scripts it bends into what.
const BENDS: [(&str, &str, &str); 5] = [
    // Every miss hands out a lease, and none is asked for at the publish.
    ("no-lease", "held and 0 or 1", "1"),
    ("no-lease", "nonce ~= '' and live_lease(KEYS[2], stamp, now, tonumber(ARGV[5])) == nonce", "true"),
    // A change takes no lease over, and a publish ends none.
    ("logout-keeps-lease", "write_lease(KEYS[2], stamp, nonce, now, lasts, slack)\nreturn now", "return now"),
    ("logout-keeps-lease", "'DEL', KEYS[2]", "'EXISTS', KEYS[2]"),
    // Every run of the engine has the same stamp.
    ("no-stamp", "tonumber(high, 16), tonumber(low, 16)", "1, 1"),
];

/// The script as the chosen bug has it.
pub(crate) fn bent(text: &'static str) -> &'static str {
    let bends = BENDS.iter().filter(|(bug, ..)| is_chosen(bug));
    // Once for each script of a process.
    bends.fold(text.to_owned(), |text, (_, piece, instead)| text.replace(piece, instead)).leak()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripts::ALL;

    #[test]
    fn what_is_bent_is_there() {
        for (bug, piece, _) in BENDS {
            assert!(
                ALL.iter().any(|script| script.text.contains(piece)),
                "{bug} bends nothing any more: {piece}"
            );
        }
    }
}
