//! Refusals of the HTTP interfaces: one error type, and one place that logs.
//!
//! Handlers return [`ApiError`]; the response is an RFC 9457 problem document. Invariants: an answer of 5xx carries no
//! detail, and its cause is logged exactly once, here.

use std::error::Error;
use std::time::Duration;

use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use factorial_api::{BatchProblem, FieldError, Problem};

use crate::error_kind::ErrorKind;
use crate::metrics::HTTP_PROBLEMS_TOTAL;

/// The header that names a request, set by the service's outermost layer.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// When to come back, where nothing better is known.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(1);

/// A refusal on its way to the client.
#[derive(Debug)]
pub struct ApiError {
    kind: ErrorKind,
    detail: Option<String>,
    errors: Vec<FieldError>,
    known_agents: Option<Vec<String>>,
    batch: Option<Box<BatchProblem>>,
    retry_after: Option<Duration>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl ApiError {
    /// A refusal without detail.
    #[must_use]
    pub fn new(kind: ErrorKind) -> Self {
        Self {
            kind,
            detail: None,
            errors: Vec::new(),
            known_agents: None,
            batch: None,
            retry_after: None,
            cause: None,
        }
    }

    /// A fault of ours, for the log only.
    #[must_use]
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Internal).caused_by(cause)
    }

    /// A request with wrong fields.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let mut error = Self::new(ErrorKind::ValidationFailed);
        error.errors = errors;
        error
    }

    /// Says what happened this time. Not sent with a 5xx.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Lists the agents that exist.
    #[must_use]
    pub fn with_known_agents(mut self, agents: Vec<String>) -> Self {
        self.known_agents = Some(agents);
        self
    }

    /// Says what is wrong with a batch, or what became of it.
    #[must_use]
    pub fn with_batch(mut self, batch: BatchProblem) -> Self {
        self.batch = Some(Box::new(batch));
        self
    }

    /// Says when to come back. Sent in whole seconds, rounded up; 503 has 1 s without it.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// Keeps the cause for the log. Never sent.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// What is wrong, field by field; a refusal without fields is one about the whole.
    #[must_use]
    pub fn into_field_errors(self) -> Vec<FieldError> {
        if !self.errors.is_empty() {
            return self.errors;
        }
        let message = match self.detail {
            Some(detail) => detail,
            None => self.kind.parts().3.to_owned(),
        };
        vec![FieldError {
            field: String::new(),
            message,
        }]
    }

    /// The code of a response that was made from a refusal.
    #[must_use]
    pub fn code_of(response: &Response) -> Option<&'static str> {
        response.extensions().get::<Sent>().map(|sent| sent.1)
    }

    /// What it is refused for.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code, name, title) = self.kind.parts();
        let cause = self.cause.as_deref().map(chain).unwrap_or_default();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(code = name, detail = self.detail, cause, "request failed");
        } else if status.is_server_error() {
            tracing::warn!(code = name, detail = self.detail, cause, "request refused");
        } else {
            tracing::debug!(code = name, cause, "request refused");
        }
        metrics::counter!(HTTP_PROBLEMS_TOTAL, "code" => name).increment(1);
        let problem = Problem {
            kind: format!("/problems/{name}"),
            title: title.to_owned(),
            status: status.as_u16(),
            code,
            detail: self.detail.filter(|_| !status.is_server_error()),
            request_id: None,
            errors: self.errors,
            known_agents: self.known_agents,
            batch: self.batch,
        };
        let mut response = document(status, &problem);
        let unavailable = status == StatusCode::SERVICE_UNAVAILABLE;
        if let Some(delay) = self
            .retry_after
            .or(unavailable.then_some(DEFAULT_RETRY_AFTER))
        {
            let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = challenge(self.kind) {
            let challenge = HeaderValue::from_static(challenge);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response.extensions_mut().insert(Sent(problem, name));
        response
    }
}

/// What a client could do about it, as RFC 6750 says it.
fn challenge(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::Unauthenticated => Some("Bearer realm=\"factorial\""),
        ErrorKind::Forbidden => Some("Bearer realm=\"factorial\", error=\"insufficient_scope\""),
        _ => None,
    }
}

/// Marks a response that was made from an [`ApiError`].
#[derive(Clone)]
struct Sent(Problem, &'static str);

/// Middleware that puts the request's id, as in its `x-request-id` header, into problem documents.
pub async fn add_request_id(request: Request, next: Next) -> Response {
    let id = request
        .headers()
        .get(REQUEST_ID_HEADER)
        .and_then(|id| id.to_str().ok());
    let id = id.map(str::to_owned);
    let mut response = next.run(request).await;
    let (Some(id), Some(Sent(mut problem, _))) = (id, response.extensions_mut().remove::<Sent>())
    else {
        return response;
    };
    problem.request_id = Some(id);
    let renewed = document(response.status(), &problem);
    // The length is that of the new body; everything else, such as `Retry-After`, stays.
    response
        .headers_mut()
        .remove(axum::http::header::CONTENT_LENGTH);
    *response.body_mut() = renewed.into_body();
    response
}

fn document(status: StatusCode, problem: &Problem) -> Response {
    // Strings and numbers only: this cannot fail, and an empty body is still a valid answer with its status.
    let body = serde_json::to_vec(problem).unwrap_or_default();
    (status, [(CONTENT_TYPE, "application/problem+json")], body).into_response()
}

/// The error and its causes on one line, without repeating what a message already says.
fn chain(error: &(dyn Error + Send + Sync + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let message = cause.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        next = cause.source();
    }
    text
}
