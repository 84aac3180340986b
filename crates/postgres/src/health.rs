//! Port `HealthCheck`: whether the server answers.

use async_trait::async_trait;
use diesel_async::RunQueryDsl;
use tollbar_core::{StoreError, ports::HealthCheck};

use crate::PgStore;

#[async_trait]
impl HealthCheck for PgStore {
    fn name(&self) -> &'static str {
        "postgres"
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.call_vital("check health", self.options.deadline, async |connection| {
            diesel::sql_query("SELECT 1").execute(connection).await.map(drop)
        })
        .await
    }
}
