//! What makes two requests with one idempotency key the same.

use std::time::Duration;

use factorial_api::SubmitTask;
use factorial_service::ApiError;

/// How long a key is kept.
pub(crate) const KEEP_KEYS: Duration = Duration::from_secs(24 * 3600);

/// The request as it was understood: spacing, order of fields and spelling of numbers and strings do not count.
///
/// # Errors
/// When it cannot be written, which no request does.
pub(crate) fn fingerprint(request: &SubmitTask) -> Result<Vec<u8>, ApiError> {
    let mut value = serde_json::to_value(request).map_err(ApiError::internal)?;
    value.sort_all_objects();
    Ok(value.to_string().into_bytes())
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "tests")]
mod tests {
    use super::*;

    fn print(text: &str) -> Vec<u8> {
        let request: SubmitTask = serde_json::from_str(text).expect("a submission");
        fingerprint(&request).expect("written")
    }

    #[test]
    fn the_form_does_not_count_and_the_content_does() {
        let one = print(r#"{"agent":"a","owner_id":"o","query":"é","context":{"x":1,"y":[2]}}"#);
        let same = print(
            r#"{ "context":{"y":[2],"x":1}, "query":"\u00e9","owner_id":"o","agent":"a", "stream": false }"#,
        );
        let other = print(r#"{"agent":"a","owner_id":"o","query":"é","context":{"x":1,"y":[3]}}"#);
        assert_eq!(one, same);
        assert_ne!(one, other);
    }
}
