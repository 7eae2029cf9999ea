//! Calls with which a test in another process sees and steers the server.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::value::RawValue;

use crate::behaviour::{Behaviour, BehaviourError};
use crate::state::{RequestRecord, Shared, Stats};
use crate::wire::WireError;

pub(super) async fn stats(State(shared): State<Arc<Shared>>) -> Json<Stats> {
    Json(shared.stats())
}

pub(super) async fn requests(State(shared): State<Arc<Shared>>) -> Json<Vec<RequestRecord>> {
    Json(shared.requests())
}

/// Replaces the installed behaviours by one, or by an array of which the first that applies is used.
pub(super) async fn behaviour(
    State(shared): State<Arc<Shared>>,
    body: Bytes,
) -> Result<StatusCode, WireError> {
    let behaviours =
        parse(&body).map_err(|error| WireError::invalid("behaviour", error.to_string()))?;
    shared.install(behaviours);
    Ok(StatusCode::NO_CONTENT)
}

fn parse(body: &[u8]) -> Result<Vec<Behaviour>, BehaviourError> {
    if !body.trim_ascii_start().starts_with(b"[") {
        return Ok(vec![Behaviour::from_json(body)?]);
    }
    let entries: Vec<&RawValue> =
        serde_json::from_slice(body).map_err(|e| BehaviourError::Syntax(e.to_string()))?;
    entries
        .into_iter()
        .map(|entry| Behaviour::from_json(entry.get().as_bytes()))
        .collect()
}

pub(super) async fn reset(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.reset();
    StatusCode::NO_CONTENT
}
