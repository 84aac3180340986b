//! The scripts, joined from the pieces in `lua/`, and the names that an engine knows them by.

use std::sync::LazyLock;

use fred::{bytes_utils::Str, util::sha1_hash};

/// One atomic step.
#[derive(Debug)]
pub(crate) struct Script {
    /// The text, for an engine that does not know it yet.
    pub(crate) text: Str,
    /// Its SHA-1, by which an engine that does know it is asked.
    pub(crate) name: Str,
}

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $($piece:literal)+;)+) => {
        $(
            $(#[$doc])*
            pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| {
                let text = concat!($(include_str!(concat!("lua/", $piece, ".lua"))),+);
                Script { text: Str::from_static(text), name: sha1_hash(text).into() }
            });
        )+
        #[cfg(test)]
        const PIECES: &[&[&str]] = &[$(&[$($piece),+]),+];
    };
}

scripts! {
    /// Looks a set of sessions up; a miss may take the lease.
    LOOKUP = "now" "stamp" "record" "set" "lease" "lookup";
    /// Announces a change of a set.
    CHANGE = "now" "stamp" "record" "set" "lease" "change";
    /// Publishes a set.
    PUBLISH = "now" "stamp" "record" "set" "lease" "publish";
    /// Forgets a set.
    DROP = "now" "record" "set" "drop";
    /// Decides and charges a call.
    DECIDE = "now" "record" "policy" "limit" "decide";
    /// Says how a call would be decided.
    PEEK = "read_only" "now" "record" "policy" "limit" "peek";
    /// Counts a call.
    RECORD = "record" "afresh" "counts" "record_call";
    /// Raises the counts to known totals.
    RAISE = "record" "afresh" "counts" "raise";
    /// Checks, limits and counts calls.
    ADMIT = "now" "stamp" "record" "set" "policy" "limit" "afresh" "counts" "admit";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_sha1_of_the_text() {
        assert_eq!(LOOKUP.name, sha1_hash(&LOOKUP.text));
        assert!(PEEK.text.starts_with("#!lua flags=no-writes\n"));
    }

    #[test]
    fn every_piece_is_used() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lua");
        for file in std::fs::read_dir(folder).unwrap() {
            let file = file.unwrap().file_name().into_string().unwrap();
            let piece = file.strip_suffix(".lua").unwrap();
            assert!(PIECES.iter().any(|pieces| pieces.contains(&piece)), "{piece} is in no script");
        }
    }
}
