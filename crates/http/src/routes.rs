//! Which handler takes which method of which path.

use actix_web::{
    Handler, Resource, Responder, guard,
    web::{self, Data, ServiceConfig},
};

use crate::{
    ApiError, Services,
    handlers::{accounts, authz, calls, description, health},
};

/// A line a route. It is mounted at the path that the annotation of its handler describes, so that neither is without the other.
macro_rules! routes {
    ($($mount:ident $module:ident::$handler:ident by $annotation:ident;)+) => {
        fn mount(app: &mut ServiceConfig) {
            $(app.service($mount(&<$module::$annotation as utoipa::Path>::path(), $module::$handler));)+
        }

        /// What the annotations say.
        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($module::$handler),+))]
        struct Described;
    };
}

routes! {
    post accounts::signup by __path_signup;
    post accounts::login by __path_login;
    post accounts::logout by __path_logout;
    get calls::ping by __path_ping;
    any authz::nginx by __path_nginx;
    any authz::forward by __path_forward;
    all_below authz::envoy by __path_envoy;
    read calls::top by __path_top;
    read calls::count by __path_count;
    read calls::series by __path_series;
    read health::healthz by __path_healthz;
    read health::readyz by __path_readyz;
    read description::openapi by __path_openapi;
}

/// Mounts Tollbar's routes, at the root of an app or under a scope:
/// `App::new().service(web::scope("/toll").configure(tollbar_http::configure(services)))`.
pub fn configure(services: Services) -> impl FnOnce(&mut ServiceConfig) {
    move |app| {
        app.app_data(Data::new(services));
        mount(app);
    }
}

/// The description of all that [`configure`] mounts, as the annotations have it.
pub(crate) fn described() -> utoipa::openapi::OpenApi {
    <Described as utoipa::OpenApi>::openapi()
}

/// Answers every path that no route takes with Tollbar's 404. Optional, for an app may have its own.
pub fn not_found(app: &mut ServiceConfig) {
    app.default_service(web::to(|| async { Err::<&str, _>(ApiError::NotFound) }));
}

/// A resource that answers all methods but its routes' with 405.
fn only(path: &str, allow: &'static str) -> Resource {
    let refuse = move || async move { Err::<&str, _>(ApiError::MethodNotAllowed(allow)) };
    web::resource(path).default_service(web::to(refuse))
}

fn post<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    only(path, "POST").route(web::post().to(handler))
}

/// GET without HEAD: what it does is charged and counted.
fn get<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    only(path, "GET").route(web::get().to(handler))
}

/// All methods: a proxy may ask with the client's own.
fn any<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path).to(handler)
}

/// The same for a path and for all below it, of which the template's last parameter stands.
fn all_below<F, Args>(template: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let root = template.rsplit_once('/').map_or(template, |(root, _)| root);
    web::resource([root.to_owned(), format!("{root}/{{path:.*}}")]).to(handler)
}

/// GET without side effects, and so HEAD.
fn read<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let either = guard::Any(guard::Get()).or(guard::Head());
    only(path, "GET, HEAD").route(web::route().guard(either).to(handler))
}
