//! The list of routes, and the layers around them.

use axum::{Extension, Router, middleware, routing::get};
use factorial_core::KeyRole;
use factorial_rest::{Needs, guarded, guarded_plain, operators_router, with_layers};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{config, overview, session, system},
    app::App,
    assets, health,
    layers::{guard_origin, secure},
    live, login, openapi,
};

/// Where the operations are.
pub(crate) const API: &str = "/observability/api";

/// What only the dashboard answers.
pub(crate) fn own() -> OpenApiRouter<App> {
    let reads = Needs::Role(KeyRole::Viewer);
    let of_all = Needs::Unbound(KeyRole::Viewer);
    OpenApiRouter::new()
        .routes(guarded(
            Needs::Nothing,
            routes!(session::log_in, session::log_out),
        ))
        .routes(guarded(reads, routes!(config::get_config)))
        .routes(guarded(of_all, routes!(overview::get_overview)))
        .routes(guarded(of_all, routes!(system::get_system)))
}

/// All operations, without what is checked of requests from outside: in this process they are asked with a `Caller` in the
/// extensions of the request.
pub(crate) fn operations(app: &App) -> Router {
    let own: Router<App> = own().into();
    own.layer(Extension(app.rest.clone()))
        .with_state(app.clone())
        .merge(operators_router(&app.rest))
}

/// The whole application.
pub(crate) fn router(app: App) -> Router {
    let document = openapi::document().to_string();
    let operations = operations(&app).route(
        "/openapi.json",
        get(async move || ([(http::header::CONTENT_TYPE, "application/json")], document)),
    );
    let routes = Router::new()
        .route("/", get(health::document))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/observability/login", get(login::page))
        .route("/observability/login/{file}", get(login::file))
        .route("/observability", get(assets::index))
        .route("/observability/", get(assets::index))
        .route(
            "/observability/ws",
            guarded_plain(Needs::Role(KeyRole::Viewer), "live", get(live::accept)),
        )
        .route("/observability/{*path}", get(assets::file))
        .with_state(app.clone())
        .nest(API, operations);
    let layered = with_layers(routes, &app.rest);
    layered
        .layer(middleware::from_fn_with_state(app, guard_origin))
        .layer(middleware::from_fn(secure))
}
