//! A connection on loan from the pool, which goes back only from a call that ran to its end.

use deadpool::managed::Object;
use diesel_async::{AsyncPgConnection, pooled_connection::AsyncDieselConnectionManager};

type Pooled = Object<AsyncDieselConnectionManager<AsyncPgConnection>>;

/// Dropped before [`give_back`](Self::give_back), by a deadline or a caller that left, it closes the connection: an answer, or
/// half a transaction, may be on its way.
pub(crate) struct Lent(Option<Pooled>);

impl Lent {
    pub(crate) fn new(pooled: Pooled) -> Self {
        Self(Some(pooled))
    }

    pub(crate) fn connection(&mut self) -> &mut AsyncPgConnection {
        self.0.as_mut().expect("only `give_back` takes the connection, and takes the loan with it")
    }

    /// The call ran to its end.
    pub(crate) fn give_back(mut self) {
        self.0 = None;
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(cut_short) = self.0.take() {
            drop(Object::take(cut_short));
        }
    }
}
