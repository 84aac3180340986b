//! Middleware: the bar in front of any scope or resource of an app.

use std::{
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
};
use tollbar_core::{
    domain::{UserId, Version},
    usecases::Identity,
};
use tollbar_wire::{Bar, Denial, Passed};
use tracing::error;

use crate::{ApiError, answer, incoming::incoming};

/// Lets those requests through that the policy for their path, method and host admits; each of those is charged and counted. The
/// headers that tell of limits are on every answer, and a handler finds who calls in [`CurrentUser`].
///
/// Wrap a scope or a resource in it: `web::scope("/orders").wrap(Guard::new(bar))`.
#[derive(Clone)]
pub struct Guard(Bar);

impl Guard {
    /// Guards with this bar.
    pub fn new(bar: Bar) -> Self {
        Self(bar)
    }
}

impl<S, B> Transform<S, ServiceRequest> for Guard
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = Guarded<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(Guarded { bar: self.0.clone(), service: Rc::new(service) }))
    }
}

/// What a [`Guard`] makes of a service.
pub struct Guarded<S> {
    bar: Bar,
    service: Rc<S>,
}

impl<S, B> Service<ServiceRequest> for Guarded<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (bar, service) = (self.bar.clone(), Rc::clone(&self.service));
        let question = bar.question(&incoming(request.request(), bar.options()).wire());
        Box::pin(async move {
            match bar.decide(&question).await {
                Ok(passed) => {
                    request.extensions_mut().insert(passed.clone());
                    let mut response = match service.call(request).await {
                        Ok(response) => response.map_into_left_body(),
                        // Headers belong on this answer, too, and nobody further out can put them there.
                        Err(error) => return Err(with_headers(error, passed)),
                    };
                    answer::add(response.headers_mut(), passed.headers);
                    Ok(response)
                }
                Err(denial) => {
                    let response = ApiError::Denied(denial).error_response();
                    Ok(request.into_response(response).map_into_right_body())
                }
            }
        })
    }
}

/// The error, whose answer has the headers of a request that went through.
fn with_headers(error: Error, passed: Passed) -> Error {
    let mut response = error.error_response();
    answer::add(response.headers_mut(), passed.headers);
    actix_web::error::InternalError::from_response(error, response).into()
}

/// Who calls, behind a [`Guard`]. Where the policy needs no session it is 401; `Option<CurrentUser>` is then `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentUser {
    /// The user.
    pub user: UserId,
    /// Which of the user's sessions.
    pub session: Version,
}

impl FromRequest for CurrentUser {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let identity = request.extensions().get::<Passed>().map(|passed| passed.identity);
        ready(match identity {
            Some(Some(Identity { user, session })) => Ok(Self { user, session }),
            Some(None) => Err(Denial::NoCredential.into()),
            None => {
                error!("a handler asks for CurrentUser, but no Guard is around it");
                Err(ApiError::Internal)
            }
        })
    }
}
