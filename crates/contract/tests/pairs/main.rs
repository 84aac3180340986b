//! The tiered sessions and the gate keep their promises on all four pairs of tiers.

#[path = "../../../memory/tests/harness/mod.rs"]
mod memory;
#[path = "../../../postgres/tests/harness/mod.rs"]
mod postgres;
#[path = "../../../redis/tests/harness/mod.rs"]
mod redis;
#[path = "../../../sqlite/tests/harness/mod.rs"]
mod sqlite;

/// All suites over two tiers, on one pair.
macro_rules! pair {
    ($pair:ident, $durable:ty, $live:ty) => {
        mod $pair {
            type Tiers = tollbar_contract::Pair<$durable, $live>;
            type FastTiers = tollbar_contract::FastPair<$durable, $live>;
            type FastTiersWithoutDenials = tollbar_contract::FastPair<$durable, $live, 0>;

            mod sessions {
                tollbar_contract::sessions_suite!(super::Tiers);
            }
            mod sessions_orders {
                tollbar_contract::sessions_orders_suite!(super::Tiers);
            }
            mod gate {
                tollbar_contract::gate_suite!(super::Tiers);
                tollbar_contract::gate_denials_suite!(super::Tiers);
                tollbar_contract::gate_others_suite!(super::Tiers);
            }
            mod fast_gate {
                tollbar_contract::gate_suite!(super::FastTiers);
                tollbar_contract::gate_denials_suite!(super::FastTiers);
                tollbar_contract::gate_others_suite!(super::FastTiers);
                tollbar_contract::gate_random_suite!(super::FastTiers);
            }
            mod fast_gate_without_denials {
                tollbar_contract::gate_suite!(super::FastTiersWithoutDenials);
                tollbar_contract::gate_denials_suite!(super::FastTiersWithoutDenials);
                tollbar_contract::gate_others_suite!(super::FastTiersWithoutDenials);
                tollbar_contract::gate_random_suite!(super::FastTiersWithoutDenials);
            }
        }
    };
}

/// The suites over tiers that outlive their processes, on one pair.
macro_rules! shared_pair {
    ($pair:ident, $durable:ty) => {
        mod $pair {
            mod plain_gate {
                tollbar_contract::adoption_suite!(tollbar_contract::Pair<$durable, crate::redis::Redis>);
            }
            mod fast_gate {
                tollbar_contract::adoption_suite!(tollbar_contract::FastPair<$durable, crate::redis::Redis>);
            }
        }
    };
}

pair!(sqlite_memory, crate::sqlite::Sqlite, crate::memory::Memory);
pair!(sqlite_redis, crate::sqlite::Sqlite, crate::redis::Redis);
pair!(postgres_memory, crate::postgres::Postgres, crate::memory::Memory);
pair!(postgres_redis, crate::postgres::Postgres, crate::redis::Redis);

shared_pair!(shared_sqlite_redis, crate::sqlite::Sqlite);
shared_pair!(shared_postgres_redis, crate::postgres::Postgres);
