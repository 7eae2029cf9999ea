//! The OpenAPI document of all that is below `/observability/api`.

use serde_json::Value;

use crate::router::{API, own};

/// The document that the dashboard serves at `/observability/api/openapi.json`: OpenAPI 3.1.
#[must_use]
pub fn document() -> Value {
    factorial_rest::operators_document(API, own())
}
