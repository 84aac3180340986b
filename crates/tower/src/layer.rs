//! The layer, and the service that it makes.

use std::{
    fmt,
    future::Future,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Extensions, Request, Response};
use tollbar_core::{
    domain::{UserId, Version},
    usecases::Identity,
};
use tollbar_wire::Bar;
use tower_layer::Layer;
use tower_service::Service;

use crate::request;

/// How to find the other end of a connection among a request's extensions.
type Peer = Arc<dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync>;

/// Puts a bar in front of a service. Cheap to clone.
///
/// It goes by the path that the request has where it stands: in front of a whole axum router that is the client's, while inside of
/// `Router::nest` axum has cut the prefix off.
#[derive(Clone)]
pub struct BarLayer {
    bar: Bar,
    peer: Peer,
}

impl BarLayer {
    /// Guards with this bar. Nothing is known of where clients are until [`with_peer`](Self::with_peer) says how to find it.
    pub fn new(bar: Bar) -> Self {
        Self { bar, peer: Arc::new(|_| None) }
    }

    /// The same where `peer` finds the other end of the connection: for limits by address, and for proxies that are trusted. With axum:
    /// `|extensions| extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())`.
    #[must_use]
    pub fn with_peer(self, peer: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        Self { peer: Arc::new(peer), ..self }
    }
}

impl fmt::Debug for BarLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarLayer").field("options", self.bar.options()).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for BarLayer {
    type Service = Barred<S>;

    fn layer(&self, inner: S) -> Barred<S> {
        Barred { inner, layer: self.clone() }
    }
}

/// A service behind the bar.
#[derive(Debug, Clone)]
pub struct Barred<S> {
    inner: S,
    layer: BarLayer,
}

/// Who calls: an extension of every request that went through by a policy that needs a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentUser {
    /// The user.
    pub user: UserId,
    /// Which of the user's sessions.
    pub session: Version,
}

impl From<Identity> for CurrentUser {
    fn from(Identity { user, session }: Identity) -> Self {
        Self { user, session }
    }
}

impl<S, B, R> Service<Request<B>> for Barred<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The one that is ready is used up; its clone has to become ready itself.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let bar = self.layer.bar.clone();
        let question = request::question(&bar, &request, (self.layer.peer)(request.extensions()));
        Box::pin(async move {
            match bar.decide(&question).await {
                Ok(passed) => {
                    // What a client or an outer layer says of itself is no identity.
                    request.extensions_mut().remove::<CurrentUser>();
                    if let Some(identity) = passed.identity {
                        request.extensions_mut().insert(CurrentUser::from(identity));
                    }
                    let mut response = inner.call(request).await?;
                    request::add(response.headers_mut(), passed.headers);
                    Ok(response)
                }
                Err(denial) => Ok(request::response(denial.answer(None))),
            }
        })
    }
}
