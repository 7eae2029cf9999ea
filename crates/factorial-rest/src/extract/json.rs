//! JSON bodies.
//!
//! Used by handlers that take a document. Invariant: whatever bytes a client sends, the answer says what is wrong with
//! them: 415 media type, 413 size, 400 not JSON, 422 JSON of the wrong shape, with the path of the value.

use axum::extract::{FromRef, FromRequest, Request};
use bytes::Bytes;
use factorial_service::{ApiError, ErrorKind};
use http::{HeaderMap, header, request::Parts};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use super::{
    body,
    depth::{MOST_LEVELS, too_deep},
};
use crate::{
    access::Caller,
    app::AppState,
    refusal::{invalid, shorten},
};

/// A body that must be there.
pub struct Json<T>(pub T);

/// A body that may be empty; then it is the default.
pub(crate) struct OptionalJson<T>(pub(crate) T);

impl<S, T> FromRequest<S> for Json<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
    AppState: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let app = &AppState::from_ref(state);
        let (head, body) = request.into_parts();
        check_media_type(&head.headers)?;
        let bytes = body::read(&head.headers, body, most(&head, app)).await?;
        parse_json(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned + Default> FromRequest<AppState> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, ApiError> {
        let (head, body) = request.into_parts();
        let bytes: Bytes = body::read(&head.headers, body, most(&head, app)).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        check_media_type(&head.headers)?;
        parse_json(&bytes).map(Self)
    }
}

/// Most bytes of a body: of this process, and of the key.
fn most(head: &Parts, app: &AppState) -> usize {
    let caller = head.extensions.get::<Caller>();
    let own = caller.and_then(|caller| caller.identity().max_body_bytes);
    own.map_or(app.max_body_bytes, |own| own.min(app.max_body_bytes))
}

/// Whether the body is said to be of one of these types.
pub(crate) fn has_media_type(headers: &HeaderMap, types: &[&str]) -> bool {
    types.contains(&media_type(headers).as_str())
}

fn media_type(headers: &HeaderMap) -> String {
    let given = headers.get(header::CONTENT_TYPE);
    let given = given.and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = given.split(';').next().unwrap_or("").trim();
    essence.to_ascii_lowercase()
}

fn check_media_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let essence = media_type(headers);
    let json = essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"));
    if json {
        Ok(())
    } else {
        Err(ApiError::new(ErrorKind::UnsupportedMediaType))
    }
}

/// Reads a JSON text of a client's.
///
/// # Errors
/// `invalid_json`, or `validation_failed` with the path of the value that does not fit.
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let not_json = |detail: String| ApiError::new(ErrorKind::InvalidJson).with_detail(detail);
    if bytes.is_empty() {
        return Err(not_json("the body is empty".to_owned()));
    }
    if let Err(error) = std::str::from_utf8(bytes) {
        return Err(not_json(format!(
            "the body is not UTF-8 at byte {}",
            error.valid_up_to()
        )));
    }
    if too_deep(bytes) {
        return Err(invalid(
            "",
            format!("is nested deeper than {MOST_LEVELS} levels"),
        ));
    }
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    // Again, keeping track of where it is: that is slow, and only needed to say what is wrong.
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        let error = error.into_inner();
        match error.classify() {
            Category::Data => invalid(pointer, shorten(without_place(&error.to_string()))),
            _ => not_json(shorten(&error.to_string())),
        }
    })?;
    reader
        .end()
        .map_err(|error| not_json(shorten(&error.to_string())))?;
    Ok(value)
}

/// The pointer says it better.
fn without_place(message: &str) -> &str {
    message
        .rsplit_once(" at line ")
        .map_or(message, |(what, _)| what)
}

/// RFC 6901.
fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => {
                let key = shorten(key).replace('~', "~0").replace('/', "~1");
                pointer.push_str(&format!("/{key}"));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use factorial_api::{SteerRequest, SubmitTask};

    use super::*;

    fn refused<T: DeserializeOwned>(bytes: &[u8]) -> u16 {
        match parse_json::<T>(bytes) {
            Ok(_) => 0,
            Err(error) => error.into_response().status().as_u16(),
        }
    }

    #[test]
    fn what_is_not_json_is_400_and_what_does_not_fit_is_422() {
        for bad in [
            &b""[..],
            b"{",
            b"{]",
            b"\xff",
            b"{\"agent\":\"\\ud800\"}",
            b"nul",
            br#"{"agent":"a","owner_id":"o"} {}"#,
        ] {
            assert_eq!(refused::<SubmitTask>(bad), 400, "{bad:?}");
        }
        for bad in ["[]", "{}", "7", "null", r#"{"agent":1,"owner_id":"o"}"#] {
            assert_eq!(refused::<SubmitTask>(bad.as_bytes()), 422, "{bad}");
        }
        assert_eq!(refused::<SteerRequest>(br#"{"messages":[]}"#), 0);
        assert_eq!(refused::<SubmitTask>("[".repeat(10_000).as_bytes()), 422);
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    use factorial_api::{BatchMember, SteerRequest, SubmitTask};

    #[test]
    fn fuzz_json_bodies() {
        let seeds: [&[u8]; 4] = [
            br#"{"agent":"researcher","input":"hi \u00e9","priority":3,"metadata":{"a":[1,2.5e3,null]},"webhook":{"url":"http://a/b"}}"#,
            br#"{"agent":"a","input":[{"role":"user","content":"x"}],"run_at":"2026-01-01T00:00:00Z","stream":true}"#,
            br#"{"message":"stop","mode":"interrupt"}"#,
            b"\xef\xbb\xbf[[[1]]]",
        ];
        let told = |refusal: ApiError| {
            assert!(
                !refusal
                    .into_field_errors()
                    .iter()
                    .any(|e| e.message.is_empty())
            )
        };
        factorial_fuzz::bytes(&seeds, |bytes| {
            let _ = parse_json::<SubmitTask>(bytes).map_err(told);
            let _ = parse_json::<SteerRequest>(bytes).map_err(told);
            let _ = parse_json::<BatchMember>(bytes).map_err(told);
            let _ = parse_json::<serde_json::Value>(bytes).map_err(told);
        });
    }
}
