//! What the driver's and the engine's errors mean to a caller: may the same call succeed later?

use std::time::Duration;

use fred::error::{Error, ErrorKind};
use tollbar_core::StoreError;

/// With what an engine begins an error that passes.
const PASSING: [&str; 10] = [
    "READONLY",
    "LOADING",
    "OOM",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "BUSY",
    "MISCONF",
    "TRYAGAIN",
    "NOREPLICAS",
    "NOSCRIPT",
];

/// The server is no primary, or no more.
pub(crate) fn is_of_replica(error: &Error) -> bool {
    error.details().starts_with("READONLY")
}

/// The error of one call of a batch, as its script tells it.
pub(crate) fn refused_by_script(operation: &'static str, deadline: Duration, text: &str) -> StoreError {
    store_error(operation, deadline, Error::new(ErrorKind::Unknown, text.to_owned()))
}

/// The error of a call as the ports have it.
pub(crate) fn store_error(operation: &'static str, deadline: Duration, error: Error) -> StoreError {
    match error.kind() {
        _ if error.details().starts_with("FENCED") => StoreError::fenced(operation),
        ErrorKind::Timeout => StoreError::deadline(operation, deadline),
        _ if too_late(&error).is_some() => StoreError::deadline(operation, deadline),
        _ if passes(&error) => StoreError::transient(operation, error),
        _ => StoreError::permanent(operation, error),
    }
}

fn passes(error: &Error) -> bool {
    let code = error.details().split_whitespace().next().unwrap_or_default();
    match error.kind() {
        // Damage that the next count of a call mends.
        _ if matches!(code, "WRONGTYPE" | "INVALIDOBJ") => true,
        // A slot is moving, and a script has deleted a damaged key of it: the next one finds none.
        _ if error.details().contains("non local key") => true,
        // What we asked is wrong, or what came back is not what the engine answers.
        ErrorKind::InvalidArgument
        | ErrorKind::InvalidCommand
        | ErrorKind::Config
        | ErrorKind::Url
        | ErrorKind::Parse => false,
        // The engine's own errors begin with a code in capitals; the rest is the driver's, on a connection that has failed.
        ErrorKind::Unknown => PASSING.contains(&code) || !is_code(code),
        // A password may be on its way of being changed; what the connection lacks, the caller cannot help.
        _ => true,
    }
}

/// The engine came to a script after its caller had ceased to wait, and has done nothing; its time then, in microseconds.
pub(crate) fn too_late(error: &Error) -> Option<u64> {
    error.details().strip_prefix("TOOLATE ")?.split_whitespace().next()?.parse().ok()
}

/// Whether the engine itself has spoken: what it was sent is not under way any more.
pub(crate) fn is_answer(error: &Error) -> bool {
    let is_drivers = matches!(error.kind(), ErrorKind::IO | ErrorKind::Canceled | ErrorKind::Timeout);
    !is_drivers && error.details().split_whitespace().next().is_some_and(is_code)
}

fn is_code(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_transient(kind: ErrorKind, details: &'static str) -> bool {
        store_error("decide", Duration::from_millis(5), Error::new(kind, details)).is_transient()
    }

    #[test]
    fn tells_what_passes_from_what_stays() {
        for passing in [
            "READONLY You can't write against a read only replica.",
            "LOADING Redis is loading the dataset in memory",
            "OOM command not allowed when used memory > 'maxmemory'.",
            "MASTERDOWN Link with MASTER is down",
            "BUSY Redis is busy running a script.",
            "MISCONF Redis is configured to save RDB snapshots",
        ] {
            assert!(is_transient(ErrorKind::Unknown, passing), "{passing}");
        }
        assert!(is_transient(ErrorKind::Cluster, "CLUSTERDOWN The cluster is down"));
        assert!(is_transient(ErrorKind::IO, "Connection closed."));
        assert!(is_transient(ErrorKind::Timeout, "Request timed out."));
        for of_the_driver in [
            "Too many failed write attempts.",
            "Failed to route command.",
            "Missing response.",
            "No response!",
            "",
        ] {
            assert!(is_transient(ErrorKind::Unknown, of_the_driver), "{of_the_driver}");
        }
        for ours in ["ERR user_script:1: a mistake of ours", "ERR hash value is not an integer"] {
            assert!(!is_transient(ErrorKind::Unknown, ours), "{ours}");
            let told = refused_by_script("admit", Duration::from_millis(5), ours);
            assert!(!told.is_transient(), "{ours}");
        }
        let fenced = Error::new(ErrorKind::Unknown, "FENCED this incarnation was adopted");
        assert!(store_error("admit", Duration::from_millis(5), fenced).is_fenced());
        for passing in ["OOM command not allowed", "WRONGTYPE Operation against a key"] {
            let told = refused_by_script("admit", Duration::from_millis(5), passing);
            assert!(told.is_transient(), "{passing}");
        }
        assert!(is_transient(ErrorKind::InvalidArgument, "WRONGTYPE Operation against a key"));
        assert!(!is_transient(ErrorKind::InvalidArgument, "Invalid argument(s)"));
    }

    #[test]
    fn tells_an_answer_from_a_lost_one() {
        let of = |text: &'static str| Error::new(ErrorKind::Unknown, text);
        let late = of("TOOLATE 1700000000000000 script: 0b, on @user_script:13.");
        assert_eq!(too_late(&late), Some(1_700_000_000_000_000));
        assert!(is_answer(&late) && is_answer(&of("FENCED by another")));
        assert!(store_error("admit", Duration::from_millis(5), late).is_silence());
        for lost in ["Connection closed.", "Canceled.", ""] {
            assert!(!is_answer(&of(lost)), "{lost}");
        }
        for kind in [ErrorKind::IO, ErrorKind::Canceled, ErrorKind::Timeout] {
            assert!(!is_answer(&Error::new(kind, "EOF")));
        }
    }

    #[test]
    fn what_a_moving_slot_keeps_from_a_script_passes() {
        let text = "ERR Script attempted to access a non local key in a cluster node script: 5f, on @user_script:12.";
        assert!(is_transient(ErrorKind::Unknown, text));
        assert!(is_of_replica(&Error::new(ErrorKind::Unknown, "READONLY this engine is a replica now")));
    }
}
