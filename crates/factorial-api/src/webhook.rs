//! Webhooks: who is told of events, and what became of that.

use std::fmt;

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

use crate::Time;

/// What webhooks are told of: ends, and waits for somebody outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WebhookEventType {
    /// A task has ended with an output.
    RunCompleted,
    /// A task has ended with a failure.
    RunFailed,
    /// A task was cancelled.
    RunCancelled,
    /// A task waits for others, and no worker holds it.
    RunParked,
    /// A tool call needs a person's yes.
    ApprovalRequested,
    /// A tool call is answered from outside.
    ToolCallDeferred,
    /// All members of a batch have ended.
    BatchCompleted,
    /// A batch was cancelled, and all its members have ended.
    BatchCancelled,
}

impl WebhookEventType {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::RunCompleted,
        Self::RunFailed,
        Self::RunCancelled,
        Self::RunParked,
        Self::ApprovalRequested,
        Self::ToolCallDeferred,
        Self::BatchCompleted,
        Self::BatchCancelled,
    ];

    /// The type of the event.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RunCompleted => "run_completed",
            Self::RunFailed => "run_failed",
            Self::RunCancelled => "run_cancelled",
            Self::RunParked => "run_parked",
            Self::ApprovalRequested => "approval_requested",
            Self::ToolCallDeferred => "tool_call_deferred",
            Self::BatchCompleted => "batch_completed",
            Self::BatchCancelled => "batch_cancelled",
        }
    }
}

/// A secret that messages are signed with: `whsec_`, then 24 to 64 bytes in base64. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String))]
#[serde(transparent)]
pub struct SigningSecret(String);

impl SigningSecret {
    /// Of its text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Its text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(***)")
    }
}

/// The webhook of a task, of a batch, or of a member of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(example = json!({"url": "https://example.org/hooks/factorial", "event_types": ["run_completed", "run_failed"]}))
)]
#[serde(deny_unknown_fields)]
pub struct TaskWebhook {
    /// Where to, `http` or `https`, up to 2,048 characters, without a name or password.
    pub url: String,
    /// Of what. If absent: of a task all its types, of a batch `batch_completed` and `batch_cancelled`. A batch with types of
    /// tasks tells of those of its members that have no webhook of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_types: Vec<WebhookEventType>,
    /// What it is signed with; if absent, the owner's secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SigningSecret>,
}

/// A webhook of an owner, to be added.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(example = json!({"owner_id": "user-7", "url": "https://example.org/hooks/factorial"}))
)]
#[serde(deny_unknown_fields)]
pub struct AddWebhook {
    /// Whose tasks and batches: 1 to 128 of `A-Z a-z 0-9 . _ - @ + = | /`; if absent, the only one that the key is bound to.
    #[serde(default)]
    pub owner_id: String,
    /// Where to, `http` or `https`, up to 2,048 characters, without a name or password.
    pub url: String,
    /// Of what; of all types if absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_types: Vec<WebhookEventType>,
    /// What it is signed with; if absent, the owner's secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SigningSecret>,
}

/// A webhook of an owner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(example = json!({
        "id": "wh_01k0a1b2c3d4e5f6g7h8j9kamn", "owner_id": "user-7", "url": "https://example.org/hooks/factorial",
        "event_types": ["run_failed"], "enabled": true, "own_secret": false, "created_at": "2026-01-31T09:30:00.125Z",
    }))
)]
pub struct Webhook {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub owner_id: String,
    /// Where to.
    pub url: String,
    /// Of what; all types if there are none.
    #[serde(default)]
    pub event_types: Vec<WebhookEventType>,
    /// False after its receiver has answered with 410. Adding the same again switches it on.
    pub enabled: bool,
    /// It is signed with a secret of its own, not with the owner's.
    pub own_secret: bool,
    /// When it was added.
    pub created_at: Time,
}

/// The secret of an owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct OwnerSecret {
    /// Whose it is.
    pub owner_id: String,
    /// What webhooks without a secret of their own are signed with.
    pub secret: SigningSecret,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// It is tried, or will be again.
    Pending,
    /// The receiver has answered with success.
    Delivered,
    /// It was given up.
    Failed,
}

impl DeliveryStatus {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// An event on its way to a webhook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(example = json!({
        "id": "0-01k0a1b2c3d4e5f6g7h8j9kamn.9.task", "event_type": "run_completed", "seq": 9, "owner_id": "user-7",
        "task_id": "0-01k0a1b2c3d4e5f6g7h8j9kamn", "url": "https://example.org/hooks/factorial", "status": "pending",
        "attempts": 1, "last_status": 503, "created_at": "2026-01-31T09:30:00.125Z",
        "last_attempt_at": "2026-01-31T09:30:00.160Z", "next_attempt_at": "2026-01-31T09:30:03.911Z",
    }))
)]
pub struct WebhookDelivery {
    /// Its id, which the receiver gets as `webhook-id`: the same in all attempts.
    pub id: String,
    /// The webhook of the owner; absent if it is that of the task or the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_id: Option<String>,
    /// Type of the event.
    pub event_type: String,
    /// Place of the event in the log of the task or the batch.
    pub seq: u64,
    /// Whose it is.
    pub owner_id: String,
    /// The task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<String>,
    /// The batch, if the event is one of a batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<String>,
    /// Where to; absent when the webhook was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How it stands.
    pub status: DeliveryStatus,
    /// Attempts so far.
    pub attempts: u32,
    /// What the receiver answered to the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_status: Option<u16>,
    /// Why the last one had no answer, or was not made: `timeout`, `connection_failed`, `tls_failed`, `unknown_host`,
    /// `private_address`, `response_broken`, `webhook_removed`, `webhook_disabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When the event happened.
    pub created_at: Time,
    /// When the last attempt ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_attempt_at: Option<Time>,
    /// Not before then it is tried, again or for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Time>,
    /// When it was delivered, or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
}

/// The body that a receiver gets: that of Standard Webhooks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct WebhookMessage<T> {
    /// Type of the event.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it happened, by the clock of Redis.
    pub timestamp: Time,
    /// The event: an `Event` of a task, or a `BatchEvent`.
    pub data: T,
}
