//! PostgreSQL keeps what its ports promise.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod harness;
mod ways;

/// All suites, on a server that is reached in one way.
macro_rules! all_suites {
    ($($way:ident: $harness:ty;)*) => {
        $(mod $way {
            mod user_repo {
                tollbar_contract::user_repo_suite!($harness);
            }
            mod session_store {
                tollbar_contract::session_store_suite!($harness);
            }
            mod call_history {
                tollbar_contract::call_history_suite!($harness);
            }
            mod call_ledger {
                tollbar_contract::call_ledger_suite!($harness);
            }
            mod installation {
                tollbar_contract::installation_suite!($harness);
            }
            mod process_lease {
                tollbar_contract::process_lease_suite!($harness);
            }
            mod call_ledger_incarnations {
                tollbar_contract::call_ledger_incarnations_suite!($harness);
            }
        })*
    };
}

all_suites! {
    direct: crate::harness::Postgres;
    through_pgbouncer: crate::harness::Postgres<crate::ways::Pooled>;
    by_verified_tls: crate::harness::Postgres<crate::ways::Encrypted>;
}
