//! `/authz/…`: proxies ask here about each request. Each kind of proxy has a way of its own to ask and to understand.

use actix_web::{HttpMessage, HttpRequest, HttpResponse, http::StatusCode, web::Data};
use tollbar_wire::{Denial, Incoming, Passed, REASON};

use crate::{Services, TraceContext, answer, incoming::incoming, request_id};

/// Where Envoy's paths begin.
pub(crate) const ENVOY: &str = "/authz/envoy";

/// nginx' `auth_request` understands 2xx, 401 and 403, and takes headers but no body. So a limit is 403, and the problem is a header,
/// out of which the configuration makes the answer; a body would only cost nginx the connection.
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
    let told = denial.answer(request_id::current());
    let status =
        if matches!(denial, Denial::Limited(..)) { StatusCode::FORBIDDEN.as_u16() } else { told.status };
    let mut headers = told.headers;
    headers.retain(|(name, _)| *name != "content-type");
    headers.push(("x-tollbar-problem", told.body));
    headers.extend(denial.reason().map(|reason| (REASON, reason.to_owned())));
    answer::of(tollbar_wire::Answer { status, headers, body: String::new() })
}

/// Traefik and Caddy pass a denial on to the client as it is.
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

/// Envoy asks with the original method and path, and passes a denial on; it takes nothing but 200 for an allow.
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
    let mut told = denial.answer(request_id::current());
    told.headers.extend(denial.reason().map(|reason| (REASON, reason.to_owned())));
    answer::of(told)
}
