//! Port `Installation`: facts that the first start decides.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use tollbar_core::{
    StoreError,
    ports::{Fact, Installation},
};

use crate::{PgStore, schema::installation};

#[async_trait]
impl Installation for PgStore {
    async fn decide(&self, fact: Fact, proposed: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.call("decide a fact", self.options.deadline, async |connection| {
            // Waits for another that decides it now; whichever of the two it was, the next statement sees it.
            diesel::insert_into(installation::table)
                .values((installation::name.eq(fact.name()), installation::value.eq(proposed)))
                .on_conflict_do_nothing()
                .execute(connection)
                .await?;
            let kept = installation::table.find(fact.name()).select(installation::value);
            kept.get_result(connection).await
        })
        .await
    }
    async fn kept(&self, fact: Fact) -> Result<Option<Vec<u8>>, StoreError> {
        self.call("read a fact", self.options.deadline, async |connection| {
            let kept = installation::table.find(fact.name()).select(installation::value);
            kept.get_result(connection).await.optional()
        })
        .await
    }
}
