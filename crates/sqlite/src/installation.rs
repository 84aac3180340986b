//! Port `Installation`: facts that the first start decides.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use tollbar_core::{
    StoreError,
    ports::{Fact, Installation},
};

use crate::{SqliteStore, schema::installation};

#[async_trait]
impl Installation for SqliteStore {
    async fn decide(&self, fact: Fact, proposed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let proposed = proposed.to_owned();
        self.write("decide a fact", self.options.deadline, move |connection| {
            diesel::insert_or_ignore_into(installation::table)
                .values((installation::name.eq(fact.name()), installation::value.eq(proposed)))
                .execute(connection)?;
            installation::table.find(fact.name()).select(installation::value).get_result(connection)
        })
        .await
    }
    async fn kept(&self, fact: Fact) -> Result<Option<Vec<u8>>, StoreError> {
        self.read("read a fact", self.options.deadline, move |connection| {
            let kept = installation::table.find(fact.name()).select(installation::value);
            kept.get_result(connection).optional()
        })
        .await
    }
}
