//! A whole body in memory: bounded in size and in time.

use std::time::Duration;

use actix_web::{HttpRequest, dev::Payload, error::PayloadError, http::header, web::Data};
use futures_util::StreamExt;
use zeroize::Zeroizing;

use crate::{ApiError, Services};

/// The largest body that is read.
pub const BODY_LIMIT: usize = 8 * 1024;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a body may take to arrive, in all, as app data. [`Services`] bring their own; without either it is 10 s.
#[derive(Debug, Clone, Copy)]
pub struct BodyTimeout(pub Duration);

/// Reads a body to its end, into memory that is wiped when dropped: it may hold a password.
pub(super) async fn read(request: HttpRequest, payload: Payload) -> Result<Zeroizing<Vec<u8>>, ApiError> {
    let announced = announced(&request);
    if announced.is_some_and(|length| length > BODY_LIMIT) {
        return Err(ApiError::BodyTooLarge(BODY_LIMIT));
    }
    match tokio::time::timeout(limit(&request), collect(payload, announced)).await {
        Ok(body) => body,
        Err(_) => Err(ApiError::BodyTooSlow),
    }
}

async fn collect(mut payload: Payload, announced: Option<usize>) -> Result<Zeroizing<Vec<u8>>, ApiError> {
    // At once as large as it may become: growth would leave copies behind.
    let mut body = Zeroizing::new(Vec::with_capacity(BODY_LIMIT));
    // Not beyond what was announced: with `Upgrade: websocket` actix gives a body no end.
    while announced.is_none_or(|length| body.len() < length) {
        let Some(chunk) = payload.next().await else { break };
        let chunk = chunk.map_err(|error| broken(&error))?;
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(ApiError::BodyTooLarge(BODY_LIMIT));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn broken(error: &PayloadError) -> ApiError {
    match error {
        PayloadError::Overflow => ApiError::BodyTooLarge(BODY_LIMIT),
        _ => ApiError::invalid("The body ended early or is framed wrongly!"),
    }
}

fn announced(request: &HttpRequest) -> Option<usize> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn limit(request: &HttpRequest) -> Duration {
    if let Some(BodyTimeout(limit)) = request.app_data::<BodyTimeout>() {
        return *limit;
    }
    request.app_data::<Data<Services>>().map_or(DEFAULT_TIMEOUT, |services| services.body_timeout)
}
