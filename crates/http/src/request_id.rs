//! The id of the request that is being answered, for the body of an error: whoever makes one out of a value has no request at hand.

use std::future::Future;

use actix_web::http::header::HeaderValue;

tokio::task_local! {
    static CURRENT: HeaderValue;
}

/// Answers a request of this id.
pub(crate) fn within<F: Future>(id: HeaderValue, answered: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(id, answered)
}

/// The id; none where no [`request_span`](crate::request_span) is around.
pub(crate) fn current() -> Option<String> {
    CURRENT.try_with(|id| id.to_str().map(str::to_owned)).ok()?.ok()
}
