//! Reads what was counted where it is kept.

use redis::Commands as _;
use tokio_postgres::NoTls;

use super::error::ChaosError;
use crate::history::{Api, Totals};

/// The ledger's totals.
pub(super) async fn ledger(url: &str) -> Result<Totals, ChaosError> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let talk = tokio::spawn(connection);
    let rows = client.query("SELECT api, user_id, calls FROM call_totals", &[]).await?;
    drop(client);
    // The rows are there; an error of the goodbye does not matter.
    let _ = talk.await;
    let total = |row: &tokio_postgres::Row| {
        let (id, calls) = (row.get::<_, i64>(1), row.get::<_, i64>(2));
        Some(((Api::named(row.get(0))?, u64::try_from(id).ok()?), u64::try_from(calls).ok()?))
    };
    Ok(rows.iter().filter_map(total).collect())
}

/// The live totals: a hash of each API in each partition. It blocks its thread.
pub(super) fn live(url: &str) -> Result<Totals, ChaosError> {
    let mut connection = redis::Client::open(url)?.get_connection()?;
    let mut totals = Totals::new();
    for api in Api::ALL {
        let keys: Vec<String> = connection.keys(format!("*:calls:{}", api.name()))?;
        for key in keys {
            let calls: Vec<(Vec<u8>, u64)> = connection.hgetall(&key)?;
            let ids = calls.into_iter().filter_map(|(id, calls)| Some((user(&id)?, calls)));
            totals.extend(ids.map(|(id, calls)| ((api, id), calls)));
        }
    }
    Ok(totals)
}

/// Fields are users as eight bytes.
fn user(field: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(field.try_into().ok()?))
}
