//! `/authz/…`: proxies ask here about each request. Each kind of proxy has a way of its own to ask and to understand.

use actix_web::{HttpMessage, HttpRequest, HttpResponse, http::StatusCode, web::Data};
use tollbar_wire::{Answer, Denial, Incoming, Passed, REASON};

use crate::{
    Services, TraceContext, answer,
    incoming::incoming,
    openapi::{Forwarded, OfNginx, OfProxies},
    request_id,
};

/// Where Envoy's paths begin.
pub(crate) const ENVOY: &str = "/authz/envoy";
/// The template of those.
pub(crate) const BELOW: &str = "/authz/envoy/{path}";

/// Ask as nginx does.
///
/// nginx' `auth_request` understands 2xx, 401 and 403, and takes headers but no body. So a limit is 403, and the problem is a header,
/// out of which the configuration makes the answer. Only trusted proxies may ask, by any method.
#[utoipa::path(
    method(get, head, post, put, delete, options, patch, trace), path = "/authz/nginx", tag = "proxies", operation_id = "authzNginx",
    security((), ("bearer" = []), ("cookie" = [])),
    params(
        ("X-Original-Method" = String, Header, description = "The method of the client's request.", example = "GET"),
        ("X-Original-URI" = String, Header, description = "Its path, with or without a query.", example = "/orders/7"),
        Forwarded,
    ),
    responses(OfNginx),
)]
pub(crate) async fn nginx(services: Data<Services>, request: HttpRequest) -> HttpResponse {
    let bar = &services.bar;
    let received = incoming(&request, bar.options());
    let question = Incoming::by_nginx(received.headers(), received.peer(), &bar.options().trusted_proxies)
        .map(|original| bar.question(&original));
    let denial = match question {
        Ok(question) => match bar.decide(&question).await {
            Ok(passed) => return allow(&request, passed),
            Err(denial) => denial,
        },
        Err(denial) => denial,
    };
    answer::of(for_nginx(&denial, denial.answer(request_id::current())))
}

/// What nginx takes of the answer that tells of a denial; a body would only cost it the connection.
pub(crate) fn for_nginx(denial: &Denial, told: Answer) -> Answer {
    let status =
        if matches!(denial, Denial::Limited(..)) { StatusCode::FORBIDDEN.as_u16() } else { told.status };
    let mut headers = told.headers;
    headers.retain(|(name, _)| *name != "content-type");
    headers.push(("x-tollbar-problem", told.body));
    headers.extend(denial.reason().map(|reason| (REASON, reason.to_owned())));
    Answer { status, headers, body: String::new() }
}

/// Ask as Traefik and Caddy do.
///
/// `ForwardAuth` and `forward_auth` pass a denial on to the client as it is. Only trusted proxies may ask, by any method.
#[utoipa::path(
    method(get, head, post, put, delete, options, patch, trace), path = "/authz/forward", tag = "proxies", operation_id = "authzForward",
    security((), ("bearer" = []), ("cookie" = [])),
    params(
        ("X-Forwarded-Method" = String, Header, description = "The method of the client's request.", example = "GET"),
        ("X-Forwarded-Uri" = String, Header, description = "Its path, with or without a query.", example = "/orders/7"),
        Forwarded,
    ),
    responses(OfProxies),
)]
pub(crate) async fn forward(services: Data<Services>, request: HttpRequest) -> HttpResponse {
    let bar = &services.bar;
    let received = incoming(&request, bar.options());
    let trusted = &bar.options().trusted_proxies;
    let question = Incoming::by_forward_auth(received.headers(), received.peer(), trusted)
        .map(|original| bar.question(&original));
    match question {
        Ok(question) => tell(&request, bar.decide(&question).await),
        Err(denial) => deny(&denial),
    }
}

/// Ask as Envoy does.
///
/// `ext_authz` over HTTP asks with the method and the path of the client's request, and passes a denial on; it takes nothing but 200 for
/// an allow. Only trusted proxies may ask, by any method.
#[utoipa::path(
    method(get, head, post, put, delete, options, patch, trace), path = BELOW, tag = "proxies", operation_id = "authzEnvoy",
    security((), ("bearer" = []), ("cookie" = [])),
    params(
        ("path" = String, Path, description = "The path that the client asked for, with all its segments.", example = "orders/7"),
        Forwarded,
    ),
    responses(OfProxies),
)]
pub(crate) async fn envoy(services: Data<Services>, request: HttpRequest) -> HttpResponse {
    let bar = &services.bar;
    let received = incoming(&request, bar.options());
    let path = request.uri().path();
    // Wherever the routes are mounted, the prefix stands before the path that the client asked for.
    let original = path.split_once(ENVOY).map_or("", |(_, original)| original);
    let question = Incoming::by_envoy(
        request.method().as_str(),
        original.as_bytes(),
        received.headers(),
        received.peer(),
        &bar.options().trusted_proxies,
    )
    .map(|original| bar.question(&original));
    match question {
        Ok(question) => tell(&request, bar.decide(&question).await),
        Err(denial) => deny(&denial),
    }
}

fn tell(request: &HttpRequest, decided: Result<Passed, Denial>) -> HttpResponse {
    match decided {
        Ok(passed) => allow(request, passed),
        Err(denial) => deny(&denial),
    }
}

fn allow(request: &HttpRequest, passed: Passed) -> HttpResponse {
    let mut response = answer::begin(StatusCode::OK).finish();
    answer::add(response.headers_mut(), passed.identity_headers());
    if let Some(trace) = request.extensions().get::<TraceContext>() {
        answer::add(response.headers_mut(), trace.headers());
    }
    answer::add(response.headers_mut(), passed.headers);
    response
}

fn deny(denial: &Denial) -> HttpResponse {
    answer::of(with_reason(denial, denial.answer(request_id::current())))
}

/// The answer that tells of a denial, with a word for proxies.
pub(crate) fn with_reason(denial: &Denial, mut told: Answer) -> Answer {
    told.headers.extend(denial.reason().map(|reason| (REASON, reason.to_owned())));
    told
}
