//! Port `HealthCheck`: whether the file can be read, and written.

use async_trait::async_trait;
use diesel::{QueryDsl, RunQueryDsl};
use tollbar_core::{StoreError, ports::HealthCheck};

use crate::{SqliteStore, schema::installation};

#[async_trait]
impl HealthCheck for SqliteStore {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    async fn check(&self) -> Result<(), StoreError> {
        // Its transaction takes the lock to write, which another process may hold; a bare SELECT 1 would not touch the file.
        let read = |connection: &mut _| installation::table.count().get_result::<i64>(connection);
        self.write_vital("check health", self.options.deadline, read).await.map(drop)
    }
}
