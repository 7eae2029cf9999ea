//! HTTP endpoints as tools.
//!
//! Built from agent files. Invariant: at most `max_response_bytes` of a response are held, and a connection with more
//! to say is closed.

use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response};
use serde_json::{Map, Value};

use super::{
    DEFAULT_MAX_RESPONSE_BYTES, DEFAULT_TIMEOUT, Tool, ToolContext, ToolError, ToolErrorKind,
    ToolOutput, ToolSpec, template::UrlTemplate,
};
use crate::{
    definition::{HttpMethod, HttpToolDefinition},
    model::{HttpClients, causes},
    provider::Providers,
};

/// Bytes of a failure's body that the model gets.
const MAX_ERROR_BODY_BYTES: usize = 4096;

/// Carries the URL that the result of a deferred call is to be posted to.
const CALLBACK_HEADER: &str = "factorial-callback-url";
/// What the model is told when there is no such URL.
pub(crate) const NO_CALLBACK_URL: &str =
    "the result could not be delivered, since no public URL is configured";

/// One endpoint.
#[derive(Debug)]
pub struct HttpTool {
    spec: ToolSpec,
    client: reqwest::Client,
    method: Method,
    url: UrlTemplate,
    headers: HeaderMap,
    max_response_bytes: u64,
    deferred: bool,
}

impl HttpTool {
    /// Resolves the headers and checks the URL.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn new(
        definition: &HttpToolDefinition,
        providers: &Providers,
        clients: &HttpClients,
    ) -> Result<Self, String> {
        let fail = |what: String| format!("tool {}: {what}", definition.name);
        let url =
            UrlTemplate::parse(&definition.url).map_err(|error| fail(format!("url: {error}")))?;
        let mut headers = HeaderMap::new();
        for (name, template) in &definition.headers {
            let value = providers.filled(template).map_err(fail)?;
            let (Ok(name), Ok(mut value)) = (
                HeaderName::try_from(name.as_str()),
                HeaderValue::try_from(value),
            ) else {
                return Err(fail(format!("header {name:?} is not a valid HTTP header")));
            };
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let timeout = definition
            .timeout_seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .unwrap_or(DEFAULT_TIMEOUT);
        let mut spec = ToolSpec::new(
            &definition.name,
            &definition.description,
            definition.parameters.clone(),
        )
        .with_timeout(timeout);
        spec.at_most_once = definition.at_most_once;
        let method = match definition.method {
            HttpMethod::Get => Method::GET,
            HttpMethod::Post => Method::POST,
            HttpMethod::Put => Method::PUT,
            HttpMethod::Patch => Method::PATCH,
            HttpMethod::Delete => Method::DELETE,
        };
        let max_response_bytes = definition
            .max_response_bytes
            .unwrap_or(DEFAULT_MAX_RESPONSE_BYTES);
        Ok(Self {
            spec,
            client: clients.to(&definition.url).clone(),
            method,
            url,
            headers,
            max_response_bytes,
            deferred: definition.deferred,
        })
    }

    fn request(
        &self,
        ctx: &ToolContext,
        mut args: Map<String, Value>,
    ) -> Result<reqwest::RequestBuilder, ToolError> {
        let mut url = self
            .url
            .fill(|name| args.get(name).filter(|value| !value.is_null()).map(plain))
            .map_err(|error| ToolError::new(ToolErrorKind::InvalidArguments, error.to_string()))?;
        for name in self.url.params() {
            args.remove(name);
        }
        let in_query = matches!(self.method, Method::GET | Method::DELETE);
        if in_query && !args.is_empty() {
            let mut query = url.query_pairs_mut();
            for (name, value) in &args {
                match value {
                    Value::Null => {}
                    Value::Array(items) => {
                        for item in items {
                            query.append_pair(name, &plain(item));
                        }
                    }
                    other => {
                        query.append_pair(name, &plain(other));
                    }
                }
            }
        }
        let request = self
            .client
            .request(self.method.clone(), url)
            .headers(self.headers.clone());
        let mut request = request.header("idempotency-key", &ctx.idempotency_key);
        if let Some(trace) = &ctx.trace
            && let Ok(trace) = HeaderValue::try_from(trace)
        {
            request = request.header("traceparent", trace);
        }
        if self.deferred {
            let url = ctx.callback_url.as_deref();
            let mut url = url
                .and_then(|url| HeaderValue::try_from(url).ok())
                .ok_or_else(|| ToolError::new(ToolErrorKind::NoCallbackUrl, NO_CALLBACK_URL))?;
            url.set_sensitive(true);
            request = request.header(CALLBACK_HEADER, url);
        }
        Ok(if in_query {
            request
        } else {
            request.json(&args)
        })
    }

    /// The body as text, at most `limit` bytes of it. `Err` is what was read of a longer one.
    async fn body(
        response: &mut Response,
        limit: usize,
    ) -> Result<Result<String, String>, ToolError> {
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| ToolError::new(ToolErrorKind::Network, causes(&error)))?
        {
            let room = limit - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                return Ok(Err(String::from_utf8_lossy(&body).into_owned()));
            }
        }
        Ok(Ok(String::from_utf8_lossy(&body).into_owned()))
    }
}

/// A value as it stands in a URL: strings without quotes, everything else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[async_trait]
impl Tool for HttpTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, ctx: &ToolContext, args: Value) -> Result<ToolOutput, ToolError> {
        let args = match args {
            Value::Object(args) => args,
            _ => Map::new(),
        };
        let sent = self.request(ctx, args)?.send().await;
        let mut response =
            sent.map_err(|error| ToolError::new(ToolErrorKind::Network, causes(&error)))?;
        let status = response.status();
        if !status.is_success() {
            let (Ok(body) | Err(body)) = Self::body(&mut response, MAX_ERROR_BODY_BYTES)
                .await
                .unwrap_or_else(|_| Ok(String::new()));
            let reason = status.canonical_reason().unwrap_or("unknown status");
            let message = format!("HTTP {} {reason}: {}", status.as_u16(), body.trim());
            return Err(ToolError::new(ToolErrorKind::HttpStatus, message));
        }
        if self.deferred {
            return Ok(String::new().into());
        }
        let too_large = || {
            ToolError::new(
                ToolErrorKind::TooLarge,
                format!(
                    "the response is larger than {} bytes",
                    self.max_response_bytes
                ),
            )
        };
        if response
            .content_length()
            .is_some_and(|length| length > self.max_response_bytes)
        {
            return Err(too_large());
        }
        let limit = usize::try_from(self.max_response_bytes).unwrap_or(usize::MAX);
        match Self::body(&mut response, limit).await? {
            Ok(body) => Ok(body.into()),
            Err(_) => Err(too_large()),
        }
    }
}
