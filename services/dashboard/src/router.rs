//! The list of routes, and the layers around them.

use axum::{Router, middleware, routing::get};
use factorial_rest::{operators_router, with_layers};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{config, overview, system},
    app::App,
    assets, health,
    layers::{guard_origin, secure},
    live, openapi,
};

/// Where the operations are.
pub(crate) const API: &str = "/observability/api";

/// What only the dashboard answers.
pub(crate) fn own() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(config::get_config))
        .routes(routes!(overview::get_overview))
        .routes(routes!(system::get_system))
}

/// All operations, without what is checked of requests from outside.
pub(crate) fn operations(app: &App) -> Router {
    let own: Router<App> = own().into();
    own.with_state(app.clone())
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
        .route("/observability", get(assets::index))
        .route("/observability/", get(assets::index))
        .route("/observability/ws", get(live::accept))
        .route("/observability/{*path}", get(assets::file))
        .with_state(app.clone())
        .nest(API, operations);
    let layered = with_layers(routes, &app.rest);
    layered
        .layer(middleware::from_fn_with_state(app, guard_origin))
        .layer(middleware::from_fn(secure))
}
