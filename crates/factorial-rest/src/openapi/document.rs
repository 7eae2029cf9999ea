//! The OpenAPI document.
//!
//! Made from the handlers; what can go wrong is the same for many of them, so a handler names only the codes of its
//! own (`x-problem-codes`), and the rest follows from whether it has a body. Invariant: every operation under `/v1`
//! describes every problem that it can answer with, with an example of each.

use factorial_api::Problem;
use serde_json::{Map, Value};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::router::OpenApiRouter;

use super::{
    forms::add_forms, links::add_links, problems::describe_problems, unused::remove_unused,
};
use crate::{
    app::AppState,
    router::{operators, service, v1},
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Factorial",
        description = "Submit tasks to LLM agents, watch, steer and cancel them. Errors are problem documents \
                       (RFC 9457) with a stable `code`; lists are paged by `cursor`; times are RFC 3339 in UTC. A \
                       request may carry an `x-request-id`, and every answer has one.",
        contact(name = "Factorial"),
    ),
    servers((url = "/", description = "Where this document comes from")),
    components(schemas(Problem)),
    tags(
        (name = "tasks", description = "Submitting, watching and steering tasks"),
        (name = "batches", description = "Many tasks at once"),
        (name = "tool calls", description = "Calls that are answered from outside"),
        (name = "approvals", description = "Calls that need a person's yes"),
        (name = "callbacks", description = "Answers without a key, by the token of one call"),
        (name = "events", description = "What happens to the tasks of an owner"),
        (name = "webhooks", description = "Who is told of ends and waits, and what became of that"),
        (name = "agents", description = "What can be asked"),
        (name = "workers", description = "Who runs the tasks"),
        (name = "keys", description = "Who may call, and who did what"),
        (name = "service", description = "The gateway itself"),
    ),
    modifiers(&Schemes),
)]
struct Document;

/// How a key is sent.
struct Schemes;

impl Modify for Schemes {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "An API key, or a JSON Web Token of the issuer that the service was told of. `x-required-role` of an \
                 operation says which role it needs; with `x-unbound`, a key that is bound to owners is refused.",
            ))
            .build();
        let header =
            ApiKeyValue::with_description("x-api-key", "The same, as a header of its own.");
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let header = SecurityScheme::ApiKey(ApiKey::Header(header));
        components.add_security_scheme("api_key", header);
    }
}

/// The document that the gateway serves at `/openapi.json`: OpenAPI 3.1.
#[must_use]
pub fn document() -> Value {
    let (_, api) = OpenApiRouter::<AppState>::with_openapi(Document::openapi())
        .nest("/v1", v1())
        .merge(service())
        .split_for_parts();
    described(api, "/v1/")
}

/// The document of the operations for operators and of a service's own, all below `base`.
#[must_use]
pub fn operators_document<S>(base: &str, own: OpenApiRouter<S>) -> Value
where
    S: Clone + Send + Sync + 'static,
{
    let (_, own) = own.split_for_parts();
    let (_, mut api) = OpenApiRouter::<AppState>::with_openapi(Document::openapi())
        .nest(base, operators())
        .split_for_parts();
    api = api.nest(base, own);
    described(api, base)
}

fn described(api: utoipa::openapi::OpenApi, base: &str) -> Value {
    // A description of types: nothing in it fails to be written.
    let mut document = serde_json::to_value(api).unwrap_or_default();
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, item) in paths.into_iter().flatten() {
        for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
            if path.starts_with(base) {
                describe_problems(operation);
            }
        }
    }
    add_links(&mut document);
    add_forms(&mut document);
    remove_unused(&mut document);
    document
}
