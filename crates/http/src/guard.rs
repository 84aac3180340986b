//! Extractor: puts the bar in front of a handler of one's own.

use std::sync::Arc;

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::future::LocalBoxFuture;
use tollbar_core::{
    domain::{Decision, Policy, UserId},
    ports::{Admission, Gate},
};
use tracing::error;

use crate::{ApiError, Bearer};

/// The gate and the policy that [`Admitted`] asks, as app data of a resource, a scope or the app.
#[derive(Clone)]
pub struct Guard {
    gate: Arc<dyn Gate>,
    policy: Arc<Policy>,
}

impl Guard {
    /// Guards with this gate by this policy.
    pub fn new(gate: Arc<dyn Gate>, policy: Arc<Policy>) -> Self {
        Self { gate, policy }
    }

    async fn admit(&self, token: &Bearer) -> Result<Admitted, ApiError> {
        Admitted::of(self.gate.admit(token.expose(), &self.policy).await?, &self.policy)
    }
}

/// A call that is authenticated, within its limits, charged and counted. A handler that names it runs for no other.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// Who calls.
    pub user: UserId,
    /// The state of every window after the call.
    pub decision: Decision,
}

impl Admitted {
    /// Of a gate's answer under this policy; what it does not admit is an error.
    pub(crate) fn of(admission: Admission, policy: &Policy) -> Result<Self, ApiError> {
        match admission {
            Admission::Admitted { user, decision } => Ok(Self { user, decision }),
            Admission::Limited { decision, .. } => Err(ApiError::RateLimited(policy.api().clone(), decision)),
            Admission::Unauthenticated => Err(ApiError::InvalidToken),
        }
    }
}

impl FromRequest for Admitted {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let guard = request.app_data::<Guard>().cloned();
        let token = Bearer::from_request(request, payload);
        Box::pin(async move {
            let Some(guard) = guard else {
                error!("a handler asks for Admitted, but no Guard is app data here");
                return Err(ApiError::Internal);
            };
            guard.admit(&token.await?).await
        })
    }
}
