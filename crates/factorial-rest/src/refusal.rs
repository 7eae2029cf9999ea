//! From what the store and the checks say to the refusals of the interface.
//!
//! Used by all handlers. Invariant: what Redis said goes to the log, never to a client.

use std::time::Duration;

use factorial_api::FieldError;
use factorial_core::{StoreError, TaskState};
use factorial_service::{ApiError, ErrorKind};

/// Memory is freed when tasks expire; asking every second would not help.
const FULL_RETRY_AFTER: Duration = Duration::from_secs(5);
/// Steering is applied at the next boundary of the run.
const STEERING_RETRY_AFTER: Duration = Duration::from_secs(2);
/// Most characters of a message that repeats what a client sent.
const MOST_ECHOED: usize = 300;

/// A call to the store failed.
pub fn store_error(error: StoreError) -> ApiError {
    match &error {
        StoreError::Unavailable { .. } => ApiError::new(ErrorKind::StoreUnavailable),
        StoreError::Full => ApiError::new(ErrorKind::StoreFull).with_retry_after(FULL_RETRY_AFTER),
        StoreError::Refused(_) | StoreError::Corrupt { .. } => ApiError::new(ErrorKind::Internal),
    }
    .caused_by(error)
}

/// One wrong field.
pub(crate) fn field(name: impl Into<String>, message: impl Into<String>) -> FieldError {
    FieldError {
        field: name.into(),
        message: message.into(),
    }
}

/// A request with one wrong field.
pub(crate) fn invalid(name: impl Into<String>, message: impl Into<String>) -> ApiError {
    ApiError::invalid(vec![field(name, message)])
}

/// The task is not there, or not any more.
pub(crate) fn no_task() -> ApiError {
    ApiError::new(ErrorKind::TaskNotFound)
}

/// The task has made no such call, or it is not one that is answered this way.
pub(crate) fn no_call() -> ApiError {
    ApiError::new(ErrorKind::ToolCallNotFound)
}

/// The webhook is not there.
pub(crate) fn no_webhook() -> ApiError {
    ApiError::new(ErrorKind::WebhookNotFound)
}

/// The delivery is not there, or not any more.
pub(crate) fn no_delivery() -> ApiError {
    ApiError::new(ErrorKind::DeliveryNotFound)
}

/// The key is not there.
pub(crate) fn no_key() -> ApiError {
    ApiError::new(ErrorKind::KeyNotFound)
}

/// The batch is not there, or not any more.
pub(crate) fn no_batch() -> ApiError {
    ApiError::new(ErrorKind::BatchNotFound)
}

/// The task has ended, and what was asked for needs a running one.
pub(crate) fn finished(state: TaskState) -> ApiError {
    ApiError::new(ErrorKind::TaskFinished).with_detail(format!("the task is {state}"))
}

/// No room for steering messages; `detail` says which room.
pub(crate) fn steering_full(detail: impl Into<String>) -> ApiError {
    ApiError::new(ErrorKind::SteeringFull)
        .with_detail(detail)
        .with_retry_after(STEERING_RETRY_AFTER)
}

/// Shortens a message that may repeat what a client sent.
pub(crate) fn shorten(message: &str) -> String {
    match message.char_indices().nth(MOST_ECHOED) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}
