//! The `Idempotency-Key` header.

use axum::extract::FromRequestParts;
use factorial_service::ApiError;
use http::{HeaderMap, request::Parts};

use crate::{app::AppState, refusal::invalid};

const HEADER: &str = "idempotency-key";
/// Most characters of a key.
const LONGEST: usize = 255;

/// The client's key, if it sent one: 1 to 255 visible ASCII characters.
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

impl FromRequestParts<AppState> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        key(&parts.headers).map(Self)
    }
}

fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut given = headers.get_all(HEADER).iter();
    let Some(key) = given.next() else {
        return Ok(None);
    };
    let sound = (1..=LONGEST).contains(&key.len())
        && key.as_bytes().iter().all(u8::is_ascii_graphic)
        && given.next().is_none();
    match key.to_str() {
        Ok(key) if sound => Ok(Some(key.to_owned())),
        _ => Err(invalid(
            "Idempotency-Key",
            "must be one header of 1 to 255 visible ASCII characters",
        )),
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    #[test]
    fn fuzz_idempotency_key() {
        factorial_fuzz::bytes(
            &[b"order-17", b"0123456789abcdef:/?", &[b'k'; LONGEST]],
            |bytes| {
                // A server takes no other values.
                let Ok(value) = http::HeaderValue::from_bytes(bytes) else {
                    return;
                };
                let mut headers = HeaderMap::new();
                headers.insert(HEADER, value.clone());
                let key = key(&headers).ok().flatten();
                let visible =
                    bytes.iter().all(u8::is_ascii_graphic) && (1..=LONGEST).contains(&bytes.len());
                assert_eq!(
                    key.as_deref(),
                    visible
                        .then_some(bytes)
                        .and_then(|b| std::str::from_utf8(b).ok())
                );
                headers.append(HEADER, value);
                assert!(self::key(&headers).is_err());
            },
        );
    }
}
