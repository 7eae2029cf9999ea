//! Errors as OpenAI writes them: `{"error": {"message", "type", "param", "code"}}`.
//!
//! Made by the handlers for bad requests and for injected statuses.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::completion::to_json;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WireError {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    pub(crate) param: Option<String>,
    pub(crate) code: Option<String>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<&'a str>,
    code: Option<&'a str>,
}

impl WireError {
    /// A request that the client has to change.
    pub(crate) fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
            param: Some(param.into()),
            code: Some("invalid_value".to_owned()),
        }
    }

    /// A body that is no JSON, or JSON of another shape.
    pub(crate) fn body(error: &serde_json::Error) -> Self {
        let message = if error.is_data() {
            format!("Invalid request body: {error}")
        } else {
            format!("We could not parse the JSON body of your request: {error}")
        };
        Self {
            status: StatusCode::BAD_REQUEST,
            message,
            param: None,
            code: None,
        }
    }

    pub(crate) fn unknown_model(model: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            message: format!("The model `{model}` does not exist or you do not have access to it."),
            param: None,
            code: Some("model_not_found".to_owned()),
        }
    }

    /// An injected error; without a code it has the one that the provider uses with the status.
    pub(crate) fn injected(status: u16, code: Option<&str>) -> Self {
        let (message, usual) = match (status, code) {
            (_, Some("context_length_exceeded")) => (
                "This model's maximum context length is 128000 tokens. However, your messages resulted in more. Please reduce the length of the messages.",
                None,
            ),
            (_, Some("insufficient_quota")) => (
                "You exceeded your current quota, please check your plan and billing details.",
                None,
            ),
            (401, _) => ("Incorrect API key provided.", Some("invalid_api_key")),
            (403, _) => (
                "You are not allowed to use this model.",
                Some("permission_denied"),
            ),
            (404, _) => ("The model does not exist.", Some("model_not_found")),
            (429, _) => (
                "Rate limit reached. Please try again later.",
                Some("rate_limit_exceeded"),
            ),
            (503, _) => (
                "The engine is currently overloaded, please try again later.",
                None,
            ),
            (500.., _) => ("The server had an error processing your request.", None),
            _ => ("The request was refused.", None),
        };
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            message: message.to_owned(),
            param: (code == Some("context_length_exceeded")).then(|| "messages".to_owned()),
            code: code.or(usual).map(str::to_owned),
        }
    }

    fn kind(&self) -> &'static str {
        match (self.status.as_u16(), self.code.as_deref()) {
            (_, Some("insufficient_quota")) => "insufficient_quota",
            (401, _) => "authentication_error",
            (403, _) => "permission_error",
            (429, _) => "rate_limit_error",
            (500.., _) => "server_error",
            _ => "invalid_request_error",
        }
    }
}

impl IntoResponse for WireError {
    fn into_response(self) -> Response {
        let body = to_json(&Envelope {
            error: Body {
                message: &self.message,
                kind: self.kind(),
                param: self.param.as_deref(),
                code: self.code.as_deref(),
            },
        });
        (self.status, [(CONTENT_TYPE, "application/json")], body).into_response()
    }
}
