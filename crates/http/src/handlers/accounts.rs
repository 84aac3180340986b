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
use zeroize::Zeroizing;

use crate::{ApiError, ApiJson, Services, answer, incoming::incoming};

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
