//! The problems that an operation can answer with, and an example of each.

use factorial_service::ErrorKind;
use serde_json::{Map, Value, json};

use crate::access::{ROLE, UNBOUND};

const CODES: &str = "x-problem-codes";
/// What every operation can answer with.
const ALWAYS: [&str; 4] = [
    "validation_failed",
    "overloaded",
    "store_unavailable",
    "internal",
];
/// What one that needs a key can answer with.
const WITH_KEY: [&str; 2] = ["unauthenticated", "rate_limited"];
/// What one with a body can answer with.
const WITH_BODY: [&str; 3] = [
    "invalid_json",
    "payload_too_large",
    "unsupported_media_type",
];
/// Kinds that an operation can name.
const KINDS: [ErrorKind; 36] = [
    ErrorKind::InvalidJson,
    ErrorKind::ValidationFailed,
    ErrorKind::PayloadTooLarge,
    ErrorKind::UnsupportedMediaType,
    ErrorKind::UnknownAgent,
    ErrorKind::InvalidToken,
    ErrorKind::Unauthenticated,
    ErrorKind::Forbidden,
    ErrorKind::KeyNotFound,
    ErrorKind::TooManyKeys,
    ErrorKind::ForeignOrigin,
    ErrorKind::TaskNotFound,
    ErrorKind::AgentNotFound,
    ErrorKind::ToolCallNotFound,
    ErrorKind::ToolCallAnswered,
    ErrorKind::ToolCallClosed,
    ErrorKind::ProgressExhausted,
    ErrorKind::BatchNotFound,
    ErrorKind::WebhookNotFound,
    ErrorKind::DeliveryNotFound,
    ErrorKind::TooManyWebhooks,
    ErrorKind::InvalidBatch,
    ErrorKind::BatchFinished,
    ErrorKind::BatchClosed,
    ErrorKind::BatchIncomplete,
    ErrorKind::TaskFinished,
    ErrorKind::TaskNotFinished,
    ErrorKind::IdempotencyKeyReused,
    ErrorKind::PreviousTaskUnusable,
    ErrorKind::SteeringFull,
    ErrorKind::RateLimited,
    ErrorKind::ConversationTooLarge,
    ErrorKind::Overloaded,
    ErrorKind::StoreUnavailable,
    ErrorKind::StoreFull,
    ErrorKind::Internal,
];

/// Adds a response for each status with which an operation can refuse.
pub(super) fn describe_problems(operation: &mut Value) {
    let named = operation.get(CODES).and_then(Value::as_array).cloned();
    let named = named.unwrap_or_default();
    let mut codes: Vec<&str> = named.iter().filter_map(Value::as_str).collect();
    codes.extend(ALWAYS);
    if let Some(role) = operation.get(ROLE).and_then(Value::as_str) {
        codes.extend(WITH_KEY);
        if role != "viewer" || operation.get(UNBOUND).is_some() {
            codes.push("forbidden");
        }
    }
    if operation.get("requestBody").is_some() {
        codes.extend(WITH_BODY);
    }
    let mut responses = Map::new();
    for kind in KINDS {
        let (status, _, code, title) = kind.parts();
        if codes.contains(&code) {
            add_problem(&mut responses, status.as_u16(), code, title);
        }
    }
    if let Some(described) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    {
        described.append(&mut responses);
    }
    operation[CODES] = codes.into();
}

fn add_problem(responses: &mut Map<String, Value>, status: u16, code: &str, title: &str) {
    let response = responses.entry(status.to_string()).or_insert_with(|| {
        json!({"description": "", "content": {"application/problem+json": {
            "schema": {"$ref": "#/components/schemas/Problem"}, "examples": {},
        }}})
    });
    let so_far = response["description"].as_str().unwrap_or_default();
    let separator = if so_far.is_empty() { "" } else { "; " };
    response["description"] = format!("{so_far}{separator}{title} (`{code}`)").into();
    if matches!(status, 401 | 403) && code != "invalid_token" && code != "foreign_origin" {
        response["headers"] = json!({"www-authenticate": {
            "description": "How to send a key", "schema": {"type": "string"},
        }});
    }
    if matches!(status, 429 | 503) {
        response["headers"] = json!({"retry-after": {
            "description": "Seconds after which to try again", "schema": {"type": "integer", "minimum": 1},
        }});
    }
    let mut example = json!({
        "type": format!("/problems/{code}"), "title": title, "status": status, "code": code,
        "request_id": "01k0a1b2c3d4e5f6g7h8j9kamn",
    });
    match code {
        "validation_failed" => {
            example["errors"] = json!([{"field": "/owner_id", "message": "must not be empty"}]);
        }
        "invalid_batch" => {
            example["batch"] = json!({"bad_lines": 1, "lines": [
                {"line": 7, "pointer": "/query", "message": "must not be empty"},
            ]});
        }
        "batch_incomplete" => {
            example["batch"] = json!({
                "id": "0-01k0a1b2c3d4e5f6g7h8j9kamn", "members": 1000, "accepted": 320, "accepted_exact": true,
                "left": "resumable",
            });
        }
        "unknown_agent" => example["known_agents"] = json!(["assistant", "weather"]),
        _ => {}
    }
    response["content"]["application/problem+json"]["examples"][code] = json!({"value": example});
}
