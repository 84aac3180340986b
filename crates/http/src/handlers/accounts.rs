//! `/signup`, `/login` and `/logout`.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Data,
};
use serde::{Deserialize, Serialize};
use tollbar_core::{
    domain::{Password, Username},
    usecases::Credential,
};
use tollbar_wire::{Denial, ended_cookie, session_cookie};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::{
    ApiError, ApiJson, Services, answer,
    incoming::incoming,
    openapi::{Done, OfBodies, OfFixedMethods, OfLogins, OfLogouts},
};

// Not `Debug`: it holds a password.
/// A user's name and password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    /// Names are told apart without regard to case.
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._@+-]+$", example = "user1")]
    username: String,
    /// At most 71 bytes, and no NUL. At signup at least as many characters as the service asks for, by default 7.
    #[schema(min_length = 1, max_length = 71, format = Password, example = "pass123")]
    password: String,
}

/// A session that has begun.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Opened<'a> {
    /// That it worked.
    #[schema(example = "Login successful")]
    message: &'a str,
    /// What later requests present as `Authorization: Bearer …`.
    #[schema(
        example = "tbs_AAAAAAAAAAEAAAAAAAAAAS75RO7IT2dwHS9RPJ8oGkwas8F-6AU-vOoFgTSiRPpTPwvbMEwbJhgMRU73AOTZUA"
    )]
    session_token: &'a str,
    /// When it ends, in UTC, whatever happens until then.
    #[schema(format = DateTime, example = "2026-11-21T22:16:13.452697Z")]
    expires_at: String,
}

impl Account {
    fn parse(self) -> Result<(Username, Password), ApiError> {
        let password = Password::new(self.password);
        Ok((Username::new(self.username)?, password?))
    }
}

/// Sign up.
///
/// Makes a user. Names take ASCII letters, digits and `. _ - @ +`.
#[utoipa::path(
    post, path = "/signup", tag = "sessions", operation_id = "signup",
    request_body(content = Account, description = "At most 8 KiB of JSON."),
    responses(OfBodies, OfFixedMethods, (status = 200, description = "The user can log in.", body = Done)),
)]
pub(crate) async fn signup(
    services: Data<Services>,
    ApiJson(account): ApiJson<Account>,
) -> Result<HttpResponse, ApiError> {
    let (username, password) = account.parse()?;
    services.signup.call(&username, &password).await?;
    Ok(answer::done())
}

/// Log in.
///
/// Begins a session; a user who has as many as the service allows, by default one, loses the oldest.
#[utoipa::path(
    post, path = "/login", tag = "sessions", operation_id = "login",
    request_body(content = Account, description = "At most 8 KiB of JSON."),
    responses(
        OfBodies, OfLogins, OfFixedMethods,
        (
            status = 200, description = "The session has begun.", body = Opened<'_>,
            headers(("Set-Cookie" = String, description = "The session as a cookie, where `session.cookie` is on.")),
        ),
    ),
)]
pub(crate) async fn login(
    services: Data<Services>,
    ApiJson(account): ApiJson<Account>,
) -> Result<HttpResponse, ApiError> {
    let (username, password) = account.parse()?;
    let opened = services.login.call(&username, &password).await?;
    let token = Zeroizing::new(opened.token.expose());
    let body = Opened {
        message: "Login successful",
        session_token: &token,
        expires_at: answer::rfc3339(opened.expires_at),
    };
    let mut answer = answer::begin(StatusCode::OK);
    if services.bar.options().cookies {
        answer.insert_header((header::SET_COOKIE, session_cookie(&token, opened.lasts)));
    }
    Ok(answer.json(&body))
}

/// Log out.
///
/// Ends the session that the request presents, everywhere and at once.
#[utoipa::path(
    post, path = "/logout", tag = "sessions", operation_id = "logout",
    security(("bearer" = []), ("cookie" = [])),
    responses(
        OfLogouts, OfFixedMethods,
        (
            status = 204, description = "The session has ended.",
            headers(("Set-Cookie" = String, description = "Takes the cookie back, where `session.cookie` is on.")),
        ),
    ),
)]
pub(crate) async fn logout(services: Data<Services>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let bar = &services.bar;
    let token = match bar.credential(&incoming(&request, bar.options()).wire()) {
        Credential::Token(token) => token,
        Credential::None => return Err(Denial::NoCredential.into()),
        Credential::Malformed => return Err(Denial::InvalidToken.into()),
        Credential::CrossSite => return Err(Denial::CrossSite.into()),
    };
    if !services.logout.call(&token).await? {
        return Err(Denial::InvalidToken.into());
    }
    let mut answer = answer::begin(StatusCode::NO_CONTENT);
    if bar.options().cookies {
        answer.insert_header((header::SET_COOKIE, ended_cookie()));
    }
    Ok(answer.finish())
}
