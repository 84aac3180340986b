//! The durable tier on SQLite: users, sessions, the ledger of calls and what an installation decides once.
#![doc = include_str!("../README.md")]

mod activity;
mod call_history;
mod call_ledger;
mod connection;
mod failure;
mod health;
mod incarnations;
mod installation;
mod lane;
mod migrations;
mod open_error;
mod options;
mod process_lease;
mod schema;
mod session_set;
mod session_store;
mod store;
mod user_repo;

pub use open_error::OpenError;
pub use options::SqliteOptions;
pub use store::SqliteStore;
