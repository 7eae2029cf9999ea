//! The `Idempotency-Key` header.

use axum::extract::FromRequestParts;
use factorial_service::ApiError;
use http::request::Parts;

use crate::{app::AppState, refusal::invalid};

const HEADER: &str = "idempotency-key";
/// Most characters of a key.
const LONGEST: usize = 255;

/// The client's key, if it sent one: 1 to 255 visible ASCII characters.
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

impl FromRequestParts<AppState> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let mut given = parts.headers.get_all(HEADER).iter();
        let Some(key) = given.next() else {
            return Ok(Self(None));
        };
        let sound = (1..=LONGEST).contains(&key.len())
            && key.as_bytes().iter().all(u8::is_ascii_graphic)
            && given.next().is_none();
        match key.to_str() {
            Ok(key) if sound => Ok(Self(Some(key.to_owned()))),
            _ => Err(invalid(
                "Idempotency-Key",
                "must be one header of 1 to 255 visible ASCII characters",
            )),
        }
    }
}
