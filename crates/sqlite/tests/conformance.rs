//! SQLite keeps what its ports promise.
#![allow(clippy::unwrap_used, reason = "tests stop where something fails")]

mod harness;

mod user_repo {
    tollbar_contract::user_repo_suite!(crate::harness::Sqlite);
}
mod session_store {
    tollbar_contract::session_store_suite!(crate::harness::Sqlite);
}
mod call_history {
    tollbar_contract::call_history_suite!(crate::harness::Sqlite);
}
mod call_ledger {
    tollbar_contract::call_ledger_suite!(crate::harness::Sqlite);
}
mod installation {
    tollbar_contract::installation_suite!(crate::harness::Sqlite);
}
mod process_lease {
    tollbar_contract::process_lease_suite!(crate::harness::Sqlite);
}
mod call_ledger_incarnations {
    tollbar_contract::call_ledger_incarnations_suite!(crate::harness::Sqlite);
}
