//! `/admin/v1` of the operator listener: what the command line asks a process that serves, as JSON. Whoever reaches it is an operator.

mod guard;

pub(crate) use guard::check_page;

use std::{sync::Arc, time::Duration};

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header,
    middleware::{Next, from_fn},
    web::{self, Data, Query, ServiceConfig},
};
use serde::{Serialize, de::DeserializeOwned};
use tollbar_core::{StoreError, domain::AccountName};
use tollbar_http::{ApiError, ApiJson};

use crate::operations::{About, AccountQuestion, Here, PeekQuestion, Refusal, ResetQuestion, TopQuestion};

/// How long a question may take in all; each call to a tier has a deadline of its own besides.
const DEADLINE: Duration = Duration::from_secs(30);

/// What the routes need. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Admin {
    here: Here,
    /// Where live things are kept: `memory` or `redis`.
    live: &'static str,
    /// Names by which the listener may be asked for, beside addresses and localhost.
    hosts: Arc<[String]>,
}

impl Admin {
    pub(crate) fn new(here: Here, live: &'static str, hosts: &[String]) -> Self {
        Self { here, live, hosts: hosts.into() }
    }

    /// Names by which the listener may be asked for.
    pub(crate) fn hosts(&self) -> Arc<[String]> {
        Arc::clone(&self.hosts)
    }
}

/// Mounts the routes.
pub(crate) fn mount(admin: Admin) -> impl FnOnce(&mut ServiceConfig) {
    move |app| {
        let routes = web::scope("/admin/v1")
            .app_data(Data::new(admin))
            .route("/about", web::get().to(about))
            .route("/top", web::get().to(top))
            .route("/user", web::get().to(account))
            .route("/user/sessions", web::get().to(sessions))
            .route("/user/logout", web::post().to(logout))
            .route("/limits/reset", web::post().to(reset))
            .route("/limits/peek", web::post().to(peek))
            .default_service(web::to(|| async { Err::<&str, _>(ApiError::NotFound) }))
            .wrap(from_fn(in_time))
            .wrap(from_fn(guard::guard));
        app.service(routes);
    }
}

/// Answers 503 where it takes too long.
async fn in_time<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let answer = tokio::time::timeout(DEADLINE, next.call(request)).await;
    answer
        .unwrap_or_else(|_| Err(ApiError::from(StoreError::deadline("answer an operator", DEADLINE)).into()))
}

async fn about(admin: Data<Admin>) -> HttpResponse {
    let (version, live) = (env!("CARGO_PKG_VERSION").to_owned(), admin.live.to_owned());
    json(&About { version, installation: admin.here.installation(), live })
}

async fn top(admin: Data<Admin>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    Ok(json(&admin.here.top(&parameters::<TopQuestion>(&request)?).await.map_err(refused)?))
}

async fn account(admin: Data<Admin>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    Ok(json(&admin.here.account(&name(&parameters(&request)?)?).await.map_err(refused)?))
}

async fn sessions(admin: Data<Admin>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    Ok(json(&admin.here.sessions(&name(&parameters(&request)?)?).await.map_err(refused)?))
}

async fn logout(
    admin: Data<Admin>,
    ApiJson(question): ApiJson<AccountQuestion>,
) -> Result<HttpResponse, ApiError> {
    let answer = admin.here.logout(&name(&question)?).await.map_err(refused)?;
    tracing::info!(user = answer.id, sessions = answer.ended, "an operator ended the sessions of a user");
    Ok(json(&answer))
}

async fn reset(
    admin: Data<Admin>,
    ApiJson(question): ApiJson<ResetQuestion>,
) -> Result<HttpResponse, ApiError> {
    let answer = admin.here.reset(&question).await.map_err(refused)?;
    tracing::info!(limits = answer.reset, policy = question.policy, "an operator reset limits");
    Ok(json(&answer))
}

/// A question that changes nothing; it is too large for parameters.
async fn peek(
    admin: Data<Admin>,
    ApiJson(question): ApiJson<PeekQuestion>,
) -> Result<HttpResponse, ApiError> {
    Ok(json(&admin.here.peek(&question).await.map_err(refused)?))
}

fn name(question: &AccountQuestion) -> Result<AccountName, ApiError> {
    question.user.parse::<AccountName>().map_err(|error| invalid(&error.to_string()))
}

fn parameters<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, ApiError> {
    let parameters = Query::<T>::from_query(request.query_string());
    // What serde says of it repeats only names.
    Ok(parameters.map_err(|error| invalid(&error.to_string()))?.into_inner())
}

fn json(answer: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .json(answer)
}

fn invalid(said: &str) -> ApiError {
    let sentence = if said.ends_with('!') { said.to_owned() } else { format!("{said}!") };
    ApiError::invalid(sentence)
}

fn refused(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::UnknownUser => ApiError::UnknownUser,
        Refusal::UnknownApi => ApiError::UnknownApi,
        Refusal::UnknownPolicy => ApiError::UnknownPolicy,
        Refusal::Bad(said) => invalid(&said),
        Refusal::Store(error) => error.into(),
    }
}
