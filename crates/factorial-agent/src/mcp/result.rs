//! What a call has given, in words for the model.

use std::error::Error;

use rmcp::{
    ServiceError,
    model::{CallToolResult, ContentBlock, ErrorCode, ResourceContents},
    service::ClientInitializeError,
    transport::streamable_http_client::StreamableHttpError,
};
use serde_json::Value;

use crate::{
    model::causes,
    tool::{ToolError, ToolErrorKind, ToolOutput, cut},
};

/// Bytes of an error that the model gets.
const MAX_ERROR_BYTES: usize = 4096;

type HttpError = StreamableHttpError<reqwest::Error>;

/// The text of a result, at most `limit` bytes.
///
/// # Errors
/// What the tool says is an error; a result that is too large.
pub(super) fn output(result: &CallToolResult, limit: u64) -> Result<ToolOutput, ToolError> {
    let text = text(result);
    if result.is_error == Some(true) {
        return Err(ToolError::failed(cut(&text, MAX_ERROR_BYTES)));
    }
    if u64::try_from(text.len()).is_ok_and(|length| length <= limit) {
        return Ok(text.into());
    }
    let message = format!("the result is larger than {limit} bytes");
    Err(ToolError::new(ToolErrorKind::TooLarge, message))
}

/// Texts as they are, notes for what is none, and the structured content unless the texts say it already.
fn text(result: &CallToolResult) -> String {
    let mut parts: Vec<String> = result.content.iter().map(block).collect();
    if let Some(structured) = &result.structured_content
        && !told(&parts, structured)
    {
        parts.push(structured.to_string());
    }
    parts.join("\n")
}

/// Whether the texts say it: as JSON, or as servers do that put what is no object into one of a single key, a text for each item.
fn told(parts: &[String], structured: &Value) -> bool {
    let same = |part: &String, value: &Value| {
        value.as_str() == Some(part)
            || serde_json::from_str::<Value>(part).is_ok_and(|said| said == *value)
    };
    let only = || {
        let object = structured.as_object().filter(|object| object.len() == 1)?;
        object.values().next()
    };
    parts.iter().any(|part| same(part, structured))
        || only().is_some_and(|value| match value.as_array() {
            Some(items) if !items.is_empty() && items.len() == parts.len() => {
                parts.iter().zip(items).all(|(part, item)| same(part, item))
            }
            _ => parts.iter().any(|part| same(part, value)),
        })
}

fn block(block: &ContentBlock) -> String {
    match block {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => left_out("image", &image.mime_type, &image.data),
        ContentBlock::Audio(audio) => left_out("audio", &audio.mime_type, &audio.data),
        ContentBlock::Resource(resource) => match &resource.resource {
            ResourceContents::TextResourceContents { uri, text, .. } => {
                format!("[resource {uri}]\n{text}")
            }
            ResourceContents::BlobResourceContents {
                uri,
                mime_type,
                blob,
                ..
            } => left_out(
                &format!("resource {uri}"),
                mime_type.as_deref().unwrap_or("application/octet-stream"),
                blob,
            ),
            _ => "[a resource of a kind that is not known, left out]".to_owned(),
        },
        ContentBlock::ResourceLink(link) => format!(
            "[link to resource {}: {}]",
            link.uri,
            link.description.as_deref().unwrap_or(&link.name)
        ),
        _ => "[content of a kind that is not known, left out]".to_owned(),
    }
}

/// A note in the place of `data`, which is in base64.
fn left_out(what: &str, kind: &str, data: &str) -> String {
    let bytes = data.len() / 4 * 3;
    format!("[{what}, {kind}, about {bytes} bytes, left out: only text is passed on]")
}

/// What a call that gave no result is told as.
pub(super) fn failure(error: &ServiceError) -> ToolError {
    let kind = match error {
        ServiceError::McpError(error) if error.code == ErrorCode::INVALID_PARAMS => {
            ToolErrorKind::InvalidArguments
        }
        ServiceError::McpError(_) | ServiceError::UnexpectedResponse => ToolErrorKind::Failed,
        _ => match http(error) {
            Some(HttpError::HttpStatus(_) | HttpError::AuthRequired(_)) => {
                ToolErrorKind::HttpStatus
            }
            Some(HttpError::ResponseBodyTooLarge { .. }) => ToolErrorKind::TooLarge,
            _ => ToolErrorKind::Network,
        },
    };
    ToolError::new(kind, described(error))
}

/// Whether the call has certainly not been made, since the session was unknown or nobody was there.
pub(super) fn was_not_made(error: &ServiceError) -> bool {
    match http(error) {
        Some(HttpError::SessionExpired) => true,
        Some(HttpError::Client(error)) => error.is_connect(),
        _ => false,
    }
}

/// Whether the session is of no use any more.
pub(super) fn ends_session(error: &ServiceError) -> bool {
    matches!(error, ServiceError::TransportClosed) || was_not_made(error)
}

/// The HTTP error behind an error.
fn http<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e HttpError> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<HttpError>() {
            return Some(found);
        }
        // This one does not name its source as such.
        cause = match error.downcast_ref::<ClientInitializeError>() {
            Some(ClientInitializeError::TransportError { error, .. }) => Some(&*error.error),
            _ => error.source(),
        };
    }
    None
}

/// An error in words, without the address and what came with it, which may hold secrets.
pub(super) fn described(error: &(dyn Error + 'static)) -> String {
    let text = match http(error) {
        Some(HttpError::Client(error)) => causes(error),
        Some(HttpError::AuthRequired(_)) => "HTTP 401: the server wants credentials".to_owned(),
        Some(other) => other.to_string(),
        None => match error.downcast_ref::<ServiceError>() {
            Some(ServiceError::McpError(error)) => {
                format!("{} (code {})", error.message, error.code.0)
            }
            Some(ServiceError::TransportClosed) => "the connection was closed".to_owned(),
            _ => error.to_string(),
        },
    };
    cut(&text, MAX_ERROR_BYTES)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::told;

    #[test]
    fn what_the_texts_say_is_not_said_again() {
        let says = |texts: &[&str], structured| {
            told(
                &texts
                    .iter()
                    .map(|&text| text.to_owned())
                    .collect::<Vec<_>>(),
                &structured,
            )
        };
        assert!(says(&[r#"{ "a": 1 }"#], json!({ "a": 1 })));
        assert!(says(&["buy milk"], json!({ "result": "buy milk" })));
        assert!(says(&["2"], json!({ "result": 2 })));
        assert!(says(
            &["buy milk", "2", r#"{"a":1}"#],
            json!({ "result": ["buy milk", 2, { "a": 1 }] })
        ));
        assert!(says(&["[1,2]"], json!({ "result": [1, 2] })));
        assert!(!says(&[], json!({ "result": [] })));
        assert!(!says(
            &["buy milk"],
            json!({ "result": ["buy milk", "more"] })
        ));
        assert!(!says(&["see the data"], json!({ "a": 1, "b": 2 })));
    }
}
