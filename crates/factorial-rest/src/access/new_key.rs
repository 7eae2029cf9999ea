//! Judges a new key as a whole.
//!
//! Used by `keys.rs`. Invariant: what passes can be kept.

use std::collections::BTreeSet;

use factorial_api::{CreateKey, FieldError, Role};
use factorial_core::{ApiKey, KeyId, KeyLimits, KeyRole, OwnerId, Owners};
use factorial_service::{ApiError, KeyToken};

use crate::{refusal::field, submission::most_text};

/// Most characters of a name.
const LONGEST_NAME: usize = 128;
/// Most owners of a key.
const MOST_OWNERS: usize = 100;
/// Longest life: ten years.
const LONGEST_SECONDS: u64 = 10 * 365 * 24 * 3600;
/// Requests a second, and at once.
const RATES: std::ops::RangeInclusive<f64> = 0.01..=1_000_000.0;
const BURSTS: std::ops::RangeInclusive<u32> = 1..=10_000_000;
/// Bytes of a body.
const LEAST_BODY: u64 = 1024;

/// The key as it is kept. `by`: who makes it.
///
/// # Errors
/// All wrong fields.
pub(super) fn new_key(
    request: &CreateKey,
    token: &KeyToken,
    by: String,
    now_ms: i64,
) -> Result<ApiKey, ApiError> {
    let mut errors = Vec::new();
    let mut require = |sound: bool, name: &str, message: &str| {
        if !sound {
            errors.push(field(name, message));
        }
    };
    let name = request.name.trim();
    require(
        !name.is_empty() && most_text(name, LONGEST_NAME) && !name.chars().any(char::is_control),
        "/name",
        "must be 1 to 128 characters, without control characters",
    );
    require(
        request.role != Role::Admin || request.owner_ids.is_empty(),
        "/owner_ids",
        "must be empty for an admin: keys and the audit log are about all owners",
    );
    require(
        request.owner_ids.len() <= MOST_OWNERS,
        "/owner_ids",
        "must be at most 100",
    );
    let seconds = request.expires_in_seconds;
    require(
        seconds.is_none_or(|seconds| (1..=LONGEST_SECONDS).contains(&seconds)),
        "/expires_in_seconds",
        "must be 1 second to 10 years",
    );
    require(
        request
            .requests_per_second
            .is_none_or(|rate| RATES.contains(&rate)),
        "/requests_per_second",
        "must be 0.01 to 1000000",
    );
    require(
        request.burst.is_none_or(|burst| BURSTS.contains(&burst)),
        "/burst",
        "must be 1 to 10000000",
    );
    require(
        request.burst.is_none() || request.requests_per_second.is_some(),
        "/burst",
        "needs requests_per_second",
    );
    require(
        request
            .max_body_bytes
            .is_none_or(|bytes| bytes >= LEAST_BODY),
        "/max_body_bytes",
        "must be at least 1024",
    );
    let owners = owners(&request.owner_ids, &mut errors);
    if !errors.is_empty() {
        return Err(ApiError::invalid(errors));
    }
    let seconds = seconds.and_then(|seconds| i64::try_from(seconds).ok());
    Ok(ApiKey {
        id: KeyId::new(token.id()).map_err(ApiError::internal)?,
        digest: token.digest(),
        name: name.to_owned(),
        role: role(request.role),
        owners,
        limits: KeyLimits {
            requests_per_second: request.requests_per_second,
            burst: request.burst,
            max_body_bytes: request
                .max_body_bytes
                .map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        },
        created_ms: now_ms,
        created_by: by,
        expires_ms: seconds.map(|seconds| now_ms + 1000 * seconds),
        revoked_ms: None,
    })
}

fn owners(names: &[String], errors: &mut Vec<FieldError>) -> Owners {
    let mut owners = BTreeSet::new();
    for (at, name) in names.iter().enumerate().take(MOST_OWNERS) {
        match OwnerId::new(name) {
            Ok(owner) => {
                owners.insert(owner);
            }
            Err(error) => errors.push(field(format!("/owner_ids/{at}"), error.problem)),
        }
    }
    if names.is_empty() {
        Owners::All
    } else {
        Owners::Only(owners.into_iter().collect())
    }
}

fn role(role: Role) -> KeyRole {
    match role {
        Role::Viewer => KeyRole::Viewer,
        Role::Submitter => KeyRole::Submitter,
        Role::Operator => KeyRole::Operator,
        Role::Admin => KeyRole::Admin,
    }
}
