//! The whole service: in process where that is enough, as the real binary where a process has to die.
#![allow(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

mod adoption;
mod bad_input;
mod call_history;
mod collector;
mod command_line;
mod database_claim;
mod faults;
mod kill;
mod limits;
mod live_counts_behind;
mod logs;
mod operator;
mod outage_policies;
mod parallel_logins;
mod policies;
mod postgres_routes;
mod process;
mod proxies;
mod proxy_stage;
mod redis_down;
mod redis_emptied;
mod redis_failover;
mod reload;
mod reload_under_load;
mod request_ids;
mod secrets;
mod shutdown;
mod slow_clients;
mod start;
mod support;
mod tiers;
mod traces;
mod traces_passed_on;
mod upstream;
mod walk;
