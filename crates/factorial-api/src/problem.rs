//! Errors on the wire: RFC 9457 problem documents with a stable `code`.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

use crate::BatchProblem;

/// Stable, machine-readable reason of a refusal. New codes may be added; existing ones never change meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// The body is not JSON, or not UTF-8.
    InvalidJson,
    /// The body or a parameter is well formed but not acceptable; see `errors`.
    ValidationFailed,
    /// The body, or a part of it, is larger than allowed.
    PayloadTooLarge,
    /// `Content-Type` is not `application/json`.
    UnsupportedMediaType,
    /// No worker has announced this agent; `known_agents` lists those that exist.
    UnknownAgent,
    /// There is no such task.
    TaskNotFound,
    /// There is no such agent.
    AgentNotFound,
    /// The task has made no such call, or it is not one that is answered this way.
    ToolCallNotFound,
    /// There is no such batch.
    BatchNotFound,
    /// There is no such webhook.
    WebhookNotFound,
    /// There is no such delivery, or not any more.
    DeliveryNotFound,
    /// The owner has 16 webhooks.
    TooManyWebhooks,
    /// No such route.
    RouteNotFound,
    /// The route exists, but not for this method.
    MethodNotAllowed,
    /// The task has ended; what was asked for needs a running one.
    TaskFinished,
    /// The task has not ended; what was asked for needs an ended one.
    TaskNotFinished,
    /// Some members of a batch are not acceptable, and none was accepted; `batch` says which.
    InvalidBatch,
    /// The batch has ended.
    BatchFinished,
    /// The batch takes no more members, and not all were accepted; `batch` says how many.
    BatchClosed,
    /// The store failed before all members of a batch were accepted; `batch` says how many were, and how to go on.
    BatchIncomplete,
    /// The `Idempotency-Key` was used with another request.
    IdempotencyKeyReused,
    /// `previous_task_id` names no finished task of this owner.
    PreviousTaskUnusable,
    /// Another answer to this call came before.
    ToolCallAnswered,
    /// The call is not awaited any more: its time was up, or somebody interrupted the task, or the task has ended.
    ToolCallClosed,
    /// The task takes no more reports of progress.
    ProgressExhausted,
    /// The token of the callback is none of this namespace.
    InvalidToken,
    /// Of the dashboard: a changing request without the header of its page, or one from a page of another site.
    ForeignOrigin,
    /// No key was sent, or one that is not known, was revoked or has expired.
    Unauthenticated,
    /// The role of the key does not allow this, or the key is bound to owners and this is about everybody.
    Forbidden,
    /// The `Host` is none of those that a service without authentication answers.
    MisdirectedRequest,
    /// No such API key.
    KeyNotFound,
    /// There are as many API keys as allowed.
    TooManyKeys,
    /// The key has asked too often; try again after `Retry-After`.
    RateLimited,
    /// Too many messages wait to be applied to this task.
    SteeringFull,
    /// The conversation has reached its maximum size.
    ConversationTooLarge,
    /// Too many requests at once; try again after `Retry-After`.
    Overloaded,
    /// Redis does not answer; try again after `Retry-After`.
    StoreUnavailable,
    /// Redis is out of memory; finishing work goes on, new work is refused.
    StoreFull,
    /// Something is wrong in the service; the log has the detail under the request's id.
    Internal,
}

/// One wrong field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct FieldError {
    /// JSON pointer, or the parameter's name.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// RFC 9457 problem document (`application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Problem {
    /// A URI reference that names the kind of problem: `/problems/<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short, the same for every problem of this code.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Stable code for programs.
    pub code: ErrorCode,
    /// What happened this time, for people.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// Id of the request, as in the log and in the `x-request-id` header.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
    /// The wrong fields.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<FieldError>,
    /// With `unknown_agent`: the agents that exist.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub known_agents: Option<Vec<String>>,
    /// With the codes of batches: what is wrong with it, or what became of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub batch: Option<Box<BatchProblem>>,
}
