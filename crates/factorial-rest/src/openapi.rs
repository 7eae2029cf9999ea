//! The OpenAPI document.
//!
//! Made from the handlers; what can go wrong is the same for many of them, so a handler names only the codes of its
//! own (`x-problem-codes`), and the rest follows from whether it has a body. Invariant: every operation under `/v1`
//! describes every problem that it can answer with, with an example of each.

use factorial_api::Problem;
use factorial_service::ErrorKind;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    app::AppState,
    router::{operators, service, v1},
};

const CODES: &str = "x-problem-codes";
/// What every operation can answer with.
const ALWAYS: [&str; 4] = [
    "validation_failed",
    "overloaded",
    "store_unavailable",
    "internal",
];
/// What one with a body can answer with.
const WITH_BODY: [&str; 3] = [
    "invalid_json",
    "payload_too_large",
    "unsupported_media_type",
];
/// Kinds that an operation can name.
const KINDS: [ErrorKind; 31] = [
    ErrorKind::InvalidJson,
    ErrorKind::ValidationFailed,
    ErrorKind::PayloadTooLarge,
    ErrorKind::UnsupportedMediaType,
    ErrorKind::UnknownAgent,
    ErrorKind::InvalidToken,
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
    ErrorKind::ConversationTooLarge,
    ErrorKind::Overloaded,
    ErrorKind::StoreUnavailable,
    ErrorKind::StoreFull,
    ErrorKind::Internal,
];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Factorial",
        description = "Submit tasks to LLM agents, watch, steer and cancel them. Errors are problem documents \
                       (RFC 9457) with a stable `code`; lists are paged by `cursor`; times are RFC 3339 in UTC. A \
                       request may carry an `x-request-id`, and every answer has one.",
    ),
    components(schemas(Problem)),
    tags(
        (name = "tasks", description = "Submitting, watching and steering tasks"),
        (name = "batches", description = "Many tasks at once"),
        (name = "tool calls", description = "Calls that are answered from outside"),
        (name = "approvals", description = "Calls that need a person's yes"),
        (name = "callbacks", description = "Answers without a key, by the token of one call"),
        (name = "events", description = "What happens to the tasks of an owner"),
        (name = "webhooks", description = "Who is told of ends and waits, and what became of that"),
        (name = "agents", description = "What can be asked"),
        (name = "workers", description = "Who runs the tasks"),
        (name = "service", description = "The gateway itself"),
    ),
)]
struct Document;

/// The document that the gateway serves at `/openapi.json`: OpenAPI 3.1.
#[must_use]
pub fn document() -> Value {
    let (_, api) = OpenApiRouter::<AppState>::with_openapi(Document::openapi())
        .nest("/v1", v1())
        .merge(service())
        .split_for_parts();
    described(api, "/v1/")
}

/// The document of the operations for operators and of a service's own, all below `base`.
#[must_use]
pub fn operators_document<S>(base: &str, own: OpenApiRouter<S>) -> Value
where
    S: Clone + Send + Sync + 'static,
{
    let (_, own) = own.split_for_parts();
    let (_, mut api) = OpenApiRouter::<AppState>::with_openapi(Document::openapi())
        .nest(base, operators())
        .split_for_parts();
    api = api.nest(base, own);
    described(api, base)
}

fn described(api: utoipa::openapi::OpenApi, base: &str) -> Value {
    // A description of types: nothing in it fails to be written.
    let mut document = serde_json::to_value(api).unwrap_or_default();
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, item) in paths.into_iter().flatten() {
        for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
            if path.starts_with(base) {
                describe_problems(operation);
            }
        }
    }
    document
}

/// Adds a response for each status with which an operation can refuse.
fn describe_problems(operation: &mut Value) {
    let named = operation.get(CODES).and_then(Value::as_array).cloned();
    let named = named.unwrap_or_default();
    let mut codes: Vec<&str> = named.iter().filter_map(Value::as_str).collect();
    codes.extend(ALWAYS);
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
