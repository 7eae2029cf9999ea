//! Every route of the server.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::{admin, chat};
use crate::state::Shared;
use crate::wire::{CREATED, WireError, to_json};

/// Listed when any model name is served.
const ANY_MODEL: &str = "sim-model";

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let limit = DefaultBodyLimit::max(shared.max_body_bytes);
    Router::new()
        .route("/v1/chat/completions", post(chat::complete))
        .route("/v1/models", get(models))
        .route("/admin/stats", get(admin::stats))
        .route("/admin/requests", get(admin::requests))
        .route("/admin/behaviour", post(admin::behaviour))
        .route("/admin/reset", post(admin::reset))
        .fallback(unknown)
        .method_not_allowed_fallback(method)
        .layer(limit)
        .with_state(shared)
}

async fn models(State(shared): State<Arc<Shared>>) -> Response {
    let any = [ANY_MODEL.to_owned()];
    let names = match shared.models() {
        [] => &any,
        names => names,
    };
    let data: Vec<_> = names
        .iter()
        .map(|id| {
            serde_json::json!({"id": id, "object": "model", "created": CREATED, "owned_by": "factorial-sim"})
        })
        .collect();
    let list = to_json(&serde_json::json!({"object": "list", "data": data}));
    ([(CONTENT_TYPE, "application/json")], list).into_response()
}

async fn unknown(request: Request) -> WireError {
    WireError {
        status: StatusCode::NOT_FOUND,
        message: format!(
            "Unknown request URL: {} {}. Please check the URL for typos.",
            request.method(),
            request.uri().path()
        ),
        param: None,
        code: Some("unknown_url".to_owned()),
    }
}

async fn method(request: Request) -> WireError {
    WireError {
        status: StatusCode::METHOD_NOT_ALLOWED,
        message: format!(
            "Not allowed to {} on {}.",
            request.method(),
            request.uri().path()
        ),
        param: None,
        code: Some("method_not_supported".to_owned()),
    }
}
