//! The list of routes, and the layers around them.
//!
//! Called by `run`, and by `openapi` for the document. Invariant: a route is in the document because it is in the list.

use std::any::Any;

use axum::{Extension, Router, middleware, response::IntoResponse, routing::get};
use factorial_core::KeyRole;
use factorial_service::add_request_id;
use http::header;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouter},
    routes,
};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{
    access::{Needs, guard_host, guard_pages, guarded},
    app::AppState,
    layers::{bound, catch_panic, observe},
    openapi,
    routes::{
        agents, approvals, batches, callbacks, events, fallback, health, keys, tasks, tool_calls,
        webhooks, workers,
    },
};

/// Routes with who may call them.
struct Routes(OpenApiRouter<AppState>);

impl Routes {
    /// For whoever may read.
    fn viewer(self, routes: UtoipaMethodRouter<AppState>) -> Self {
        self.add(Needs::Role(KeyRole::Viewer), routes)
    }

    /// For whoever may submit.
    fn submitter(self, routes: UtoipaMethodRouter<AppState>) -> Self {
        self.add(Needs::Role(KeyRole::Submitter), routes)
    }

    /// For whoever may approve, retry and tell others.
    fn operator(self, routes: UtoipaMethodRouter<AppState>) -> Self {
        self.add(Needs::Role(KeyRole::Operator), routes)
    }

    /// About everybody, for whoever may do so much.
    fn unbound(self, role: KeyRole, routes: UtoipaMethodRouter<AppState>) -> Self {
        self.add(Needs::Unbound(role), routes)
    }

    /// For everybody.
    fn open(self, routes: UtoipaMethodRouter<AppState>) -> Self {
        self.add(Needs::Nothing, routes)
    }

    fn add(self, needs: Needs, routes: UtoipaMethodRouter<AppState>) -> Self {
        Self(self.0.routes(guarded(needs, routes)))
    }
}

/// What operators and their page need.
pub(crate) fn operators() -> OpenApiRouter<AppState> {
    let routes = for_all().operator(routes!(tasks::bulk::change_tasks));
    routes.0
}

/// What operators and programs of clients need.
fn for_all() -> Routes {
    Routes(OpenApiRouter::new())
        .viewer(routes!(tasks::list::list_tasks))
        .submitter(routes!(tasks::submit::submit_task))
        .viewer(routes!(tasks::get::get_task))
        .viewer(routes!(tasks::result::get_task_result))
        .viewer(routes!(tasks::messages::list_task_messages))
        .viewer(routes!(tasks::events::list_task_events))
        .submitter(routes!(tasks::cancel::cancel_task))
        .submitter(routes!(tasks::steer::steer_task))
        .operator(routes!(tasks::retry::retry_task))
        .viewer(routes!(tasks::tree::get_task_tree))
        .viewer(routes!(tool_calls::list::list_tool_calls))
        .submitter(routes!(tool_calls::result::answer_tool_call))
        .submitter(routes!(tool_calls::error::fail_tool_call))
        .operator(routes!(tool_calls::approve::approve_tool_call))
        .operator(routes!(tool_calls::deny::deny_tool_call))
        .viewer(routes!(tool_calls::asked::list_asked_tool_calls))
        .viewer(routes!(approvals::list::list_approvals))
        .viewer(routes!(batches::list::list_batches))
        .viewer(routes!(batches::get::get_batch))
        .submitter(routes!(batches::cancel::cancel_batch))
        .viewer(routes!(batches::results::list_batch_results))
        .viewer(routes!(events::list::list_events))
        .operator(routes!(
            webhooks::list::list_webhooks,
            webhooks::add::add_webhook
        ))
        .operator(routes!(webhooks::secret::get_webhook_secret))
        .operator(routes!(
            webhooks::get::get_webhook,
            webhooks::remove::remove_webhook
        ))
        .operator(routes!(webhooks::deliveries::list_webhook_deliveries))
        .viewer(routes!(webhooks::deliveries::list_task_webhook_deliveries))
        .viewer(routes!(webhooks::deliveries::list_batch_webhook_deliveries))
        .operator(routes!(webhooks::retry::retry_webhook_delivery))
        .viewer(routes!(agents::list::list_agents))
        .viewer(routes!(agents::get::get_agent))
        .unbound(KeyRole::Operator, routes!(agents::pause::pause_agent))
        .unbound(KeyRole::Operator, routes!(agents::pause::resume_agent))
        .unbound(KeyRole::Viewer, routes!(workers::list::list_workers))
}

/// Everything under `/v1`.
pub(crate) fn v1() -> OpenApiRouter<AppState> {
    let routes = for_all()
        .viewer(routes!(tasks::status::get_task_status))
        .submitter(routes!(tool_calls::progress::report_tool_call_progress))
        .open(routes!(callbacks::answer::answer_callback))
        .open(routes!(callbacks::progress::report_callback_progress))
        .submitter(routes!(batches::submit::submit_batch))
        .viewer(routes!(batches::events::list_batch_events))
        .unbound(
            KeyRole::Admin,
            routes!(keys::list::list_keys, keys::create::create_key),
        )
        .unbound(KeyRole::Admin, routes!(keys::revoke::revoke_key))
        .unbound(KeyRole::Admin, routes!(keys::audit::list_audit_entries));
    routes.0
}

/// What is not bounded: it answers also when too much is going on.
pub(crate) fn service() -> OpenApiRouter<AppState> {
    let routes = Routes(OpenApiRouter::new()).open(routes!(health::get::get_health));
    routes.0
}

/// The operations for operators, to be served beside others by `with_layers`; bounded like those of the gateway. They can be
/// asked without those layers too, with a `Caller` in the extensions of the request.
pub fn operators_router(app: &AppState) -> Router {
    let operators: Router<AppState> = operators().into();
    operators
        .layer(middleware::from_fn_with_state(app.clone(), bound))
        .layer(Extension(app.clone()))
        .with_state(app.clone())
}

/// Puts around all routes what every request has: an id, a log line, a count, a name that is answered, and an answer if a
/// handler panics.
pub fn with_layers(router: Router, app: &AppState) -> Router {
    router
        .fallback(fallback::no_route)
        .method_not_allowed_fallback(fallback::no_method)
        .layer(CatchPanicLayer::custom(|cause: Box<dyn Any + Send>| {
            catch_panic(&*cause)
        }))
        .layer(middleware::from_fn_with_state(app.clone(), guard_host))
        .layer(Extension(app.clone()))
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
            v1.layer(middleware::from_fn_with_state(app.clone(), bound))
                .layer(middleware::from_fn_with_state(app.clone(), guard_pages)),
        )
        .merge(service)
        .route("/openapi.json", document)
        .merge(SwaggerUi::new("/docs").config(Config::from("/openapi.json")))
        .with_state(app.clone());
    with_layers(routes, app)
}
