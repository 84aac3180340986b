//! The durable tier on PostgreSQL: users, sessions, the ledger of calls and what an installation decides once.
#![doc = include_str!("../README.md")]

mod activity;
mod address;
mod call_history;
mod call_ledger;
mod connect;
mod failure;
mod health;
mod incarnations;
mod installation;
mod lent;
mod migrations;
mod open_error;
mod options;
mod pooled;
mod process_lease;
mod schema;
mod session_set;
mod session_store;
mod store;
mod sums;
mod tls;
mod tls_verifiers;
mod user_repo;

pub use open_error::OpenError;
pub use options::PgOptions;
pub use store::PgStore;
