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

/// The text of a piece; of `{name: pieces}`, a function that is those pieces.
macro_rules! text {
    ({$function:ident: $($piece:tt)+}) => {
        concat!("local function ", stringify!($function), "()\n", $(text!($piece)),+, "end\n")
    };
    ($piece:literal) => {
        include_str!(concat!("lua/", $piece, ".lua"))
    };
}

/// The names of a piece, or of those in a function.
#[cfg(test)]
macro_rules! names {
    ({$function:ident: $($piece:literal)+}) => {
        &[$($piece),+]
    };
    ($piece:literal) => {
        &[$piece]
    };
}

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = [$($piece:tt)+];)+) => {
        $(
            $(#[$doc])*
            pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| {
                let text = concat!($(text!($piece)),+);
                #[cfg(feature = "sabotage")]
                let text = crate::sabotage::bent(text);
                Script { text: Str::from_static(text), name: sha1_hash(text).into() }
            });
        )+
        #[cfg(all(test, feature = "sabotage"))]
        pub(crate) static ALL: &[&LazyLock<Script>] = &[$(&$name),+];
        #[cfg(test)]
        const PIECES: &[&[&[&str]]] = &[$(&[$(names!($piece)),+]),+];
    };
}

// An engine makes all functions of a script anew each time that it runs: what few calls need is in a function of its own, which
// costs the others nothing.
scripts! {
    /// Looks a set of sessions up; a miss may take the lease.
    LOOKUP = ["now" "stamp" "layout" "record" "set" "lease" "lookup"];
    /// Announces a change of a set.
    CHANGE = ["now" "stamp" "layout" "record" "set" "lease" "change"];
    /// Publishes a set.
    PUBLISH = ["now" "stamp" "layout" "record" "set" "lease" "publish"];
    /// Forgets a set.
    DROP = ["now" "layout" "record" "set" "drop"];
    /// Decides and charges a call.
    DECIDE = ["now" "layout" "record" "policy" "logs" "units" "buckets" "limits" "decide"];
    /// Says how a call would be decided.
    PEEK = ["read_only" "now" "layout" "record" "policy" "logs" "units" "buckets" "limits" "peek"];
    /// Forgets what was charged to a subject.
    RESET = ["now" "layout" "record" "logs" "reset"];
    /// Counts a call.
    RECORD = ["now" "layout" "afresh" "board" "rank" "counted" "fenced" "pending" "record_call"];
    /// Raises the counts to known totals.
    RAISE = ["layout" "afresh" "board" "rank" "raise"];
    /// Says whether the counts of a partition are whole.
    IS_WHOLE = ["read_only" "stamp" "is_whole"];
    /// Begins to raise the counts of a partition to the whole ledger.
    BEGIN_RAISE = ["now" "stamp" "begin_raise"];
    /// Ends it.
    END_RAISE = ["stamp" "end_raise"];
    /// Checks, limits and counts calls.
    ADMIT = ["now" "stamp" "layout" "policy" "fenced" "batch"
        "board" {rankings: "afresh" "rank" "counted" "rankings"} "count" "pending"
        "plain" {general: "record" "set" "logs" "units" "buckets" "limits" "general"} "admit"];
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
            assert!(
                PIECES.iter().flat_map(|pieces| *pieces).any(|names| names.contains(&piece)),
                "{piece} is in no script"
            );
        }
    }
}
