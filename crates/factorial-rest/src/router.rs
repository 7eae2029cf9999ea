//! The list of routes, and the layers around them.
//!
//! Called by `run`, and by `openapi` for the document. Invariant: a route is in the document because it is in the list.

use std::any::Any;

use axum::{Router, middleware, response::IntoResponse, routing::get};
use factorial_service::add_request_id;
use http::header;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{
    app::AppState,
    layers::{bound, catch_panic, observe},
    openapi,
    routes::{
        agents, approvals, batches, callbacks, events, fallback, health, tasks, tool_calls,
        webhooks, workers,
    },
};

/// What operators and their page need.
pub(crate) fn operators() -> OpenApiRouter<AppState> {
    for_all().routes(routes!(tasks::bulk::change_tasks))
}

/// What operators and programs of clients need.
fn for_all() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(tasks::list::list_tasks, tasks::submit::submit_task))
        .routes(routes!(tasks::get::get_task))
        .routes(routes!(tasks::result::get_task_result))
        .routes(routes!(tasks::messages::list_task_messages))
        .routes(routes!(tasks::events::list_task_events))
        .routes(routes!(tasks::cancel::cancel_task))
        .routes(routes!(tasks::steer::steer_task))
        .routes(routes!(tasks::retry::retry_task))
        .routes(routes!(tasks::tree::get_task_tree))
        .routes(routes!(tool_calls::list::list_tool_calls))
        .routes(routes!(tool_calls::result::answer_tool_call))
        .routes(routes!(tool_calls::error::fail_tool_call))
        .routes(routes!(tool_calls::approve::approve_tool_call))
        .routes(routes!(tool_calls::deny::deny_tool_call))
        .routes(routes!(tool_calls::asked::list_asked_tool_calls))
        .routes(routes!(approvals::list::list_approvals))
        .routes(routes!(batches::list::list_batches))
        .routes(routes!(batches::get::get_batch))
        .routes(routes!(batches::cancel::cancel_batch))
        .routes(routes!(batches::results::list_batch_results))
        .routes(routes!(events::list::list_events))
        .routes(routes!(
            webhooks::list::list_webhooks,
            webhooks::add::add_webhook
        ))
        .routes(routes!(webhooks::secret::get_webhook_secret))
        .routes(routes!(
            webhooks::get::get_webhook,
            webhooks::remove::remove_webhook
        ))
        .routes(routes!(webhooks::deliveries::list_webhook_deliveries))
        .routes(routes!(webhooks::deliveries::list_task_webhook_deliveries))
        .routes(routes!(webhooks::deliveries::list_batch_webhook_deliveries))
        .routes(routes!(webhooks::retry::retry_webhook_delivery))
        .routes(routes!(agents::list::list_agents))
        .routes(routes!(agents::get::get_agent))
        .routes(routes!(agents::pause::pause_agent))
        .routes(routes!(agents::pause::resume_agent))
        .routes(routes!(workers::list::list_workers))
}

/// Everything under `/v1`.
pub(crate) fn v1() -> OpenApiRouter<AppState> {
    for_all()
        .routes(routes!(tasks::status::get_task_status))
        .routes(routes!(tool_calls::progress::report_tool_call_progress))
        .routes(routes!(callbacks::answer::answer_callback))
        .routes(routes!(callbacks::progress::report_callback_progress))
        .routes(routes!(batches::submit::submit_batch))
        .routes(routes!(batches::events::list_batch_events))
}

/// What is not bounded: it answers also when too much is going on.
pub(crate) fn service() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(health::get::get_health))
}

/// The operations for operators, to be served beside others by `with_layers`; bounded like those of the gateway.
pub fn operators_router(app: &AppState) -> Router {
    let operators: Router<AppState> = operators().into();
    operators
        .layer(middleware::from_fn_with_state(app.clone(), bound))
        .with_state(app.clone())
}

/// Puts around all routes what every request has: an id, a log line, a count, and an answer if a handler panics.
pub fn with_layers(router: Router, app: &AppState) -> Router {
    router
        .fallback(fallback::no_route)
        .method_not_allowed_fallback(fallback::no_method)
        .layer(CatchPanicLayer::custom(|cause: Box<dyn Any + Send>| {
            catch_panic(&*cause)
        }))
        .layer(middleware::from_fn(add_request_id))
        .layer(middleware::from_fn_with_state(app.clone(), observe))
}

/// The whole application.
pub fn router(app: &AppState) -> Router {
    let v1: Router<AppState> = v1().into();
    let service: Router<AppState> = service().into();
    let document = openapi::document().to_string();
    let document =
        get(async move || ([(header::CONTENT_TYPE, "application/json")], document).into_response());
    let routes = Router::new()
        .nest(
            "/v1",
            v1.layer(middleware::from_fn_with_state(app.clone(), bound)),
        )
        .merge(service)
        .route("/openapi.json", document)
        .merge(SwaggerUi::new("/docs").config(Config::from("/openapi.json")))
        .with_state(app.clone());
    with_layers(routes, app)
}
