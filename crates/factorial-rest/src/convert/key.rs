//! Keys, and entries of the audit log.

use factorial_api::{AuditEntry, Key, KeyStatus, Role, Time};
use factorial_core::{ApiKey, AuditEntry as StoredEntry, KeyRole, OwnerId};

/// A key as admins see it.
pub(crate) fn key(key: ApiKey, used_ms: Option<i64>, now_ms: i64) -> Key {
    let expired = key.expires_ms.is_some_and(|end| end <= now_ms);
    let owners = key.owners.listed();
    Key {
        id: key.id.as_str().to_owned(),
        name: key.name,
        role: role(key.role),
        owner_ids: owners.map(|owners| owners.iter().map(OwnerId::to_string).collect()),
        status: match key.revoked_ms {
            Some(_) => KeyStatus::Revoked,
            None if expired => KeyStatus::Expired,
            None => KeyStatus::Active,
        },
        created_at: Time::from_millis(key.created_ms),
        created_by: key.created_by,
        expires_at: key.expires_ms.map(Time::from_millis),
        revoked_at: key.revoked_ms.map(Time::from_millis),
        last_used_at: used_ms.map(Time::from_millis),
        requests_per_second: key.limits.requests_per_second,
        burst: key.limits.burst,
        max_body_bytes: key.limits.max_body_bytes.map(|bytes| bytes as u64),
    }
}

/// An entry of the audit log.
pub(crate) fn audit_entry((id, entry): (String, StoredEntry)) -> AuditEntry {
    AuditEntry {
        id,
        at: Time::from_millis(entry.at_ms),
        who: entry.who,
        operation: entry.operation,
        subject: entry.subject,
        owner_id: entry.owner.map(String::from),
        address: entry.address,
        status: entry.status,
        code: entry.code,
        request_id: entry.request_id,
    }
}

/// A role on the wire.
pub(crate) fn role(role: KeyRole) -> Role {
    match role {
        KeyRole::Viewer => Role::Viewer,
        KeyRole::Submitter => Role::Submitter,
        KeyRole::Operator => Role::Operator,
        KeyRole::Admin => Role::Admin,
    }
}
