//! Which handler takes which method of which path.

use actix_web::{
    Handler, Resource, Responder, guard,
    web::{self, Data, ServiceConfig},
};

use crate::{
    ApiError, Services,
    handlers::{accounts, authz, calls, health},
};

/// Mounts Tollbar's routes, at the root of an app or under a scope:
/// `App::new().service(web::scope("/toll").configure(tollbar_http::configure(services)))`.
pub fn configure(services: Services) -> impl FnOnce(&mut ServiceConfig) {
    move |app| {
        app.app_data(Data::new(services))
            .service(post("/signup", accounts::signup))
            .service(post("/login", accounts::login))
            .service(post("/logout", accounts::logout))
            // No HEAD: a ping is charged and counted.
            .service(only("/ping", "GET").route(web::get().to(calls::ping)))
            // A proxy may ask with the client's own method.
            .service(web::resource("/authz/nginx").to(authz::nginx))
            .service(web::resource("/authz/forward").to(authz::forward))
            .service(
                web::resource([authz::ENVOY.to_owned(), format!("{}/{{path:.*}}", authz::ENVOY)])
                    .to(authz::envoy),
            )
            .service(read("/top", calls::top))
            .service(read("/count", calls::count))
            .service(read("/calls", calls::series))
            .service(read("/healthz", health::healthz))
            .service(read("/readyz", health::readyz));
    }
}

/// Answers every path that no route takes with Tollbar's 404. Optional, for an app may have its own.
pub fn not_found(app: &mut ServiceConfig) {
    app.default_service(web::to(|| async { Err::<&str, _>(ApiError::NotFound) }));
}

/// A resource that answers all methods but its routes' with 405.
fn only(path: &'static str, allow: &'static str) -> Resource {
    let refuse = move || async move { Err::<&str, _>(ApiError::MethodNotAllowed(allow)) };
    web::resource(path).default_service(web::to(refuse))
}

fn post<F, Args>(path: &'static str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    only(path, "POST").route(web::post().to(handler))
}

/// GET without side effects, and so HEAD.
fn read<F, Args>(path: &'static str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let either = guard::Any(guard::Get()).or(guard::Head());
    only(path, "GET, HEAD").route(web::route().guard(either).to(handler))
}
