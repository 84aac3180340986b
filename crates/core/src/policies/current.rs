//! The list that holds now. It is exchanged whole, so that each call goes by one list from its beginning to its end.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::PolicyTable;

/// The current list; clones share it.
#[derive(Debug, Clone)]
pub struct Policies(Arc<ArcSwap<PolicyTable>>);

impl Policies {
    /// Begins with this list.
    pub fn new(table: PolicyTable) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(table)))
    }

    /// The list that holds now.
    pub fn current(&self) -> Arc<PolicyTable> {
        self.0.load_full()
    }

    /// Exchanges the list: calls that begin from now on go by the new one.
    pub fn exchange(&self, table: PolicyTable) {
        self.0.store(Arc::new(table));
    }
}
