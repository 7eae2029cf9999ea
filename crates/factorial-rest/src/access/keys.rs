//! Making, listing and revoking keys.
//!
//! By the operations of the gateway, and by the command line straight on Redis, for the first key. Invariant: a secret
//! leaves here once, in the answer to whoever has made the key.

use factorial_api::{CreateKey, CreatedKey, Key};
use factorial_core::{AddedKey, KeyId, Store};
use factorial_service::{ApiError, ErrorKind};
use secrecy::ExposeSecret as _;

use super::new_key::new_key;
use crate::{
    clock::{fresh_key, machine_ms},
    convert,
    refusal::{invalid, no_key, store_error},
};

/// Makes a key. `by`: who makes it.
///
/// # Errors
/// All wrong fields; `too_many_keys`; when Redis does not answer.
pub async fn make_key(
    store: &Store,
    request: &CreateKey,
    by: String,
) -> Result<CreatedKey, ApiError> {
    let (token, now_ms) = (fresh_key(), machine_ms());
    let key = new_key(request, &token, by, now_ms)?;
    match store.add_api_key(&key).await.map_err(store_error)? {
        AddedKey::Added => {}
        AddedKey::Exists => return Err(ApiError::internal("two keys with the same id")),
        AddedKey::Full => return Err(ApiError::new(ErrorKind::TooManyKeys)),
    }
    tracing::info!(key.id = %key.id, role = %key.role, "key made");
    Ok(CreatedKey {
        key: convert::key(key, None, now_ms),
        token: token.text().expose_secret().to_owned(),
    })
}

/// Keys after a cursor, by id, at most `limit`; and where to go on.
///
/// # Errors
/// When Redis does not answer.
pub async fn list_keys(
    store: &Store,
    cursor: Option<&KeyId>,
    limit: usize,
) -> Result<(Vec<Key>, Option<String>), ApiError> {
    let mut keys = store.api_keys().await.map_err(store_error)?;
    keys.retain(|key| cursor.is_none_or(|cursor| key.id > *cursor));
    let more = keys.len() > limit;
    keys.truncate(limit);
    let ids: Vec<KeyId> = keys.iter().map(|key| key.id.clone()).collect();
    let uses = store.api_key_uses(&ids).await.map_err(store_error)?;
    let now_ms = machine_ms();
    let shown = keys.into_iter().zip(uses);
    let shown = shown.map(|(key, used_ms)| convert::key(key, used_ms, now_ms));
    let next = ids.last().filter(|_| more).map(KeyId::to_string);
    Ok((shown.collect(), next))
}

/// Revokes a key. Revoking it again is no error.
///
/// # Errors
/// `key_not_found`; when it cannot be an id, or Redis does not answer.
pub async fn revoke_key(store: &Store, id: &str) -> Result<Key, ApiError> {
    let id = KeyId::new(id).map_err(|error| invalid("id", error.problem))?;
    let now_ms = machine_ms();
    let revoked = store.revoke_api_key(&id, now_ms).await;
    let key = revoked.map_err(store_error)?.ok_or_else(no_key)?;
    tracing::info!(key.id = %id, "key revoked");
    let uses = store.api_key_uses(std::slice::from_ref(&id)).await;
    let used_ms = uses.map_err(store_error)?.pop().flatten();
    Ok(convert::key(key, used_ms, now_ms))
}
