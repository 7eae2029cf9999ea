//! What a request can be refused for, and the one match from there to status, code and title.
//!
//! Used by [`crate::ApiError`]. Invariant: a kind is one code on the wire; the compiler asks for a line for each new one.

use axum::http::StatusCode;
use factorial_api::ErrorCode;

/// Everything that a request can be refused for. Each kind is one code on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The body is not JSON.
    InvalidJson,
    /// The body or a parameter is not acceptable.
    ValidationFailed,
    /// The body or a part of it is too large.
    PayloadTooLarge,
    /// The body is of another media type than JSON.
    UnsupportedMediaType,
    /// No worker has announced the agent.
    UnknownAgent,
    /// No such task.
    TaskNotFound,
    /// No such agent.
    AgentNotFound,
    /// No such batch.
    BatchNotFound,
    /// No such webhook.
    WebhookNotFound,
    /// No such delivery.
    DeliveryNotFound,
    /// The owner has as many webhooks as allowed.
    TooManyWebhooks,
    /// Some members of a batch are not acceptable.
    InvalidBatch,
    /// The batch has ended.
    BatchFinished,
    /// The batch was closed before all members were accepted.
    BatchClosed,
    /// The store failed before all members were accepted.
    BatchIncomplete,
    /// No such call, or it is not answered this way.
    ToolCallNotFound,
    /// No such route.
    RouteNotFound,
    /// Not a method of this route.
    MethodNotAllowed,
    /// The task has ended.
    TaskFinished,
    /// The task has not ended.
    TaskNotFinished,
    /// The idempotency key belongs to another request.
    IdempotencyKeyReused,
    /// The previous task cannot be gone on with.
    PreviousTaskUnusable,
    /// Another answer came before.
    ToolCallAnswered,
    /// The call is not awaited any more.
    ToolCallClosed,
    /// The task takes no more reports.
    ProgressExhausted,
    /// The token is not one of ours.
    InvalidToken,
    /// The request may come from a page of another site.
    ForeignOrigin,
    /// Nobody is named who may call, or somebody who is not known.
    Unauthenticated,
    /// Whoever calls may not do this.
    Forbidden,
    /// The service is not asked for under this name.
    MisdirectedRequest,
    /// No such key.
    KeyNotFound,
    /// There are as many keys as allowed.
    TooManyKeys,
    /// The key has asked too often.
    RateLimited,
    /// Too many steering messages wait.
    SteeringFull,
    /// The conversation is full.
    ConversationTooLarge,
    /// Too many requests at once.
    Overloaded,
    /// Redis does not answer.
    StoreUnavailable,
    /// Redis is out of memory.
    StoreFull,
    /// A fault of ours.
    Internal,
}

impl ErrorKind {
    /// Status, code on the wire, the code as text, and the title that all problems of this kind have.
    #[must_use]
    pub fn parts(self) -> (StatusCode, ErrorCode, &'static str, &'static str) {
        use ErrorCode as C;
        use StatusCode as S;
        match self {
            Self::InvalidJson => (
                S::BAD_REQUEST,
                C::InvalidJson,
                "invalid_json",
                "The body is not valid JSON",
            ),
            Self::ValidationFailed => (
                S::UNPROCESSABLE_ENTITY,
                C::ValidationFailed,
                "validation_failed",
                "The request is not acceptable",
            ),
            Self::PayloadTooLarge => (
                S::PAYLOAD_TOO_LARGE,
                C::PayloadTooLarge,
                "payload_too_large",
                "The request is too large",
            ),
            Self::UnsupportedMediaType => (
                S::UNSUPPORTED_MEDIA_TYPE,
                C::UnsupportedMediaType,
                "unsupported_media_type",
                "The body must be application/json",
            ),
            Self::UnknownAgent => (
                S::UNPROCESSABLE_ENTITY,
                C::UnknownAgent,
                "unknown_agent",
                "No worker has announced this agent",
            ),
            Self::TaskNotFound => (
                S::NOT_FOUND,
                C::TaskNotFound,
                "task_not_found",
                "There is no such task",
            ),
            Self::AgentNotFound => (
                S::NOT_FOUND,
                C::AgentNotFound,
                "agent_not_found",
                "There is no such agent",
            ),
            Self::BatchNotFound => (
                S::NOT_FOUND,
                C::BatchNotFound,
                "batch_not_found",
                "There is no such batch",
            ),
            Self::WebhookNotFound => (
                S::NOT_FOUND,
                C::WebhookNotFound,
                "webhook_not_found",
                "There is no such webhook",
            ),
            Self::DeliveryNotFound => (
                S::NOT_FOUND,
                C::DeliveryNotFound,
                "delivery_not_found",
                "There is no such delivery",
            ),
            Self::TooManyWebhooks => (
                S::CONFLICT,
                C::TooManyWebhooks,
                "too_many_webhooks",
                "The owner has as many webhooks as allowed",
            ),
            Self::InvalidBatch => (
                S::UNPROCESSABLE_ENTITY,
                C::InvalidBatch,
                "invalid_batch",
                "Some members are not acceptable, and none was accepted",
            ),
            Self::BatchFinished => (
                S::CONFLICT,
                C::BatchFinished,
                "batch_finished",
                "The batch has ended",
            ),
            Self::BatchClosed => (
                S::CONFLICT,
                C::BatchClosed,
                "batch_closed",
                "The batch was closed before all members were accepted",
            ),
            Self::BatchIncomplete => (
                S::SERVICE_UNAVAILABLE,
                C::BatchIncomplete,
                "batch_incomplete",
                "The store failed before all members were accepted",
            ),
            Self::ToolCallNotFound => (
                S::NOT_FOUND,
                C::ToolCallNotFound,
                "tool_call_not_found",
                "There is no such call to be answered",
            ),
            Self::RouteNotFound => (
                S::NOT_FOUND,
                C::RouteNotFound,
                "route_not_found",
                "There is no such route",
            ),
            Self::MethodNotAllowed => (
                S::METHOD_NOT_ALLOWED,
                C::MethodNotAllowed,
                "method_not_allowed",
                "The route has no such method",
            ),
            Self::TaskFinished => (
                S::CONFLICT,
                C::TaskFinished,
                "task_finished",
                "The task has ended",
            ),
            Self::TaskNotFinished => (
                S::CONFLICT,
                C::TaskNotFinished,
                "task_not_finished",
                "The task has not ended",
            ),
            Self::IdempotencyKeyReused => (
                S::CONFLICT,
                C::IdempotencyKeyReused,
                "idempotency_key_reused",
                "The idempotency key was used with another request",
            ),
            Self::PreviousTaskUnusable => (
                S::CONFLICT,
                C::PreviousTaskUnusable,
                "previous_task_unusable",
                "The previous task cannot be continued",
            ),
            Self::ToolCallAnswered => (
                S::CONFLICT,
                C::ToolCallAnswered,
                "tool_call_answered",
                "The call was answered before",
            ),
            Self::ToolCallClosed => (
                S::CONFLICT,
                C::ToolCallClosed,
                "tool_call_closed",
                "The call is not awaited any more",
            ),
            Self::ProgressExhausted => (
                S::CONFLICT,
                C::ProgressExhausted,
                "progress_exhausted",
                "The task takes no more reports of progress",
            ),
            Self::InvalidToken => (
                S::UNAUTHORIZED,
                C::InvalidToken,
                "invalid_token",
                "The token is not valid",
            ),
            Self::ForeignOrigin => (
                S::FORBIDDEN,
                C::ForeignOrigin,
                "foreign_origin",
                "The request may come from a page of another site",
            ),
            Self::Unauthenticated => (
                S::UNAUTHORIZED,
                C::Unauthenticated,
                "unauthenticated",
                "A valid key is needed",
            ),
            Self::Forbidden => (
                S::FORBIDDEN,
                C::Forbidden,
                "forbidden",
                "The key may not do this",
            ),
            Self::MisdirectedRequest => (
                S::MISDIRECTED_REQUEST,
                C::MisdirectedRequest,
                "misdirected_request",
                "The service does not answer under this name",
            ),
            Self::KeyNotFound => (
                S::NOT_FOUND,
                C::KeyNotFound,
                "key_not_found",
                "There is no such key",
            ),
            Self::TooManyKeys => (
                S::CONFLICT,
                C::TooManyKeys,
                "too_many_keys",
                "There are as many keys as allowed",
            ),
            Self::RateLimited => (
                S::TOO_MANY_REQUESTS,
                C::RateLimited,
                "rate_limited",
                "The key has asked too often",
            ),
            Self::SteeringFull => (
                S::TOO_MANY_REQUESTS,
                C::SteeringFull,
                "steering_full",
                "Too many messages wait to be applied",
            ),
            Self::ConversationTooLarge => (
                S::PAYLOAD_TOO_LARGE,
                C::ConversationTooLarge,
                "conversation_too_large",
                "The conversation is full",
            ),
            Self::Overloaded => (
                S::SERVICE_UNAVAILABLE,
                C::Overloaded,
                "overloaded",
                "Too many requests at once",
            ),
            Self::StoreUnavailable => (
                S::SERVICE_UNAVAILABLE,
                C::StoreUnavailable,
                "store_unavailable",
                "The store does not answer",
            ),
            Self::StoreFull => (
                S::SERVICE_UNAVAILABLE,
                C::StoreFull,
                "store_full",
                "The store is full",
            ),
            Self::Internal => (
                S::INTERNAL_SERVER_ERROR,
                C::Internal,
                "internal",
                "Something went wrong in the service",
            ),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_code_is_its_wire_form() {
        for kind in [
            ErrorKind::InvalidJson,
            ErrorKind::ValidationFailed,
            ErrorKind::PayloadTooLarge,
            ErrorKind::UnsupportedMediaType,
            ErrorKind::UnknownAgent,
            ErrorKind::TaskNotFound,
            ErrorKind::AgentNotFound,
            ErrorKind::BatchNotFound,
            ErrorKind::InvalidBatch,
            ErrorKind::BatchFinished,
            ErrorKind::BatchClosed,
            ErrorKind::BatchIncomplete,
            ErrorKind::ToolCallNotFound,
            ErrorKind::ToolCallAnswered,
            ErrorKind::ToolCallClosed,
            ErrorKind::ProgressExhausted,
            ErrorKind::InvalidToken,
            ErrorKind::ForeignOrigin,
            ErrorKind::Unauthenticated,
            ErrorKind::Forbidden,
            ErrorKind::MisdirectedRequest,
            ErrorKind::KeyNotFound,
            ErrorKind::TooManyKeys,
            ErrorKind::RateLimited,
            ErrorKind::RouteNotFound,
            ErrorKind::MethodNotAllowed,
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
        ] {
            let (_, code, text, _) = kind.parts();
            assert_eq!(serde_json::to_value(code).unwrap(), text);
        }
    }
}
