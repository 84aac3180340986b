//! `/signup`, `/login` and `/logout`.

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tollbar_core::domain::{Password, Username};

use crate::{ApiError, ApiJson, Bearer, Services, answer};

/// The body of signup and login. Not `Debug`: it holds a password.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    username: String,
    password: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Opened<'a> {
    message: &'a str,
    session_token: &'a str,
    expires_at: String,
}

impl Account {
    fn parse(self) -> Result<(Username, Password), ApiError> {
        let password = Password::new(self.password);
        Ok((Username::new(self.username)?, password?))
    }
}

pub(crate) async fn signup(
    services: Data<Services>,
    ApiJson(account): ApiJson<Account>,
) -> Result<HttpResponse, ApiError> {
    let (username, password) = account.parse()?;
    services.signup.call(&username, &password).await?;
    Ok(answer::done())
}

pub(crate) async fn login(
    services: Data<Services>,
    ApiJson(account): ApiJson<Account>,
) -> Result<HttpResponse, ApiError> {
    let (username, password) = account.parse()?;
    let opened = services.login.call(&username, &password).await?;
    let micros = i64::try_from(opened.expires_at.as_micros()).unwrap_or(i64::MAX);
    let body = Opened {
        message: "Login successful",
        session_token: &opened.token.expose(),
        // RFC 3339 in UTC; a clock beyond the year 9999 is held there.
        expires_at: Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX).to_string(),
    };
    Ok(answer::json(StatusCode::OK, &body))
}

pub(crate) async fn logout(services: Data<Services>, token: Bearer) -> Result<HttpResponse, ApiError> {
    if services.logout.call(token.expose()).await? {
        Ok(answer::begin(StatusCode::NO_CONTENT).finish())
    } else {
        Err(ApiError::InvalidToken)
    }
}
