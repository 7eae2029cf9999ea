//! The audit log.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

use crate::Time;

/// A change, or the refusal of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "openapi",
    derive(ToSchema),
    schema(example = json!({
        "id": "1767225600000-0", "at": "2026-01-01T00:00:00.000Z", "who": "key:q1W2e3R4t5Y6", "operation": "cancel_task",
        "subject": "0-01k0a1b2c3d4e5f6g7h8j9kamn", "owner_id": "user-7", "address": "192.0.2.7", "status": 200,
    }))
)]
pub struct AuditEntry {
    /// Sorts by when it was written.
    pub id: String,
    /// When it was answered, by the clock of the gateway or the dashboard.
    pub at: Time,
    /// `key:<id>`, `jwt:<subject>`, `admin_key`, or `anonymous` where no key is needed.
    pub who: String,
    /// The `operationId`, or what the dashboard calls it.
    pub operation: String,
    /// What it was about: the id of a task, a batch, a key, the name of an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whose that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<String>,
    /// Address of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Status of the answer; 499: the client left before there was one, and what was asked for may have been done.
    pub status: u16,
    /// Of a refusal: its code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Id of the request, as in the logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}
