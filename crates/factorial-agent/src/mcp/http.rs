//! The HTTP client of sessions.
//!
//! The SDK's own client, which knows the protocol, with headers that differ from call to call: they repeat what the
//! call carries in `_meta`, for proxies and servers that look at headers only.

use std::{collections::HashMap, sync::Arc};

use ::http::{HeaderName, HeaderValue};
use futures::stream::BoxStream;
use rmcp::{
    model::{ClientJsonRpcMessage, ClientRequest, JsonRpcRequest},
    transport::streamable_http_client::{
        SseError, StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
        StreamableHttpResponseLimits,
    },
};
use sse_stream::Sse;

use super::tool::IDEMPOTENCY_META;

/// A client of the process.
#[derive(Debug, Clone)]
pub(super) struct Client(pub(super) reqwest::Client);

type Headers = HashMap<HeaderName, HeaderValue>;
type Streamed =
    Result<BoxStream<'static, Result<Sse, SseError>>, StreamableHttpError<reqwest::Error>>;
type Posted = Result<StreamableHttpPostResponse, StreamableHttpError<reqwest::Error>>;

/// The headers of one message.
fn with_meta(mut headers: Headers, message: &ClientJsonRpcMessage) -> Headers {
    let ClientJsonRpcMessage::Request(JsonRpcRequest {
        request: ClientRequest::CallToolRequest(call),
        ..
    }) = message
    else {
        return headers;
    };
    let Some(meta) = &call.params.meta else {
        return headers;
    };
    for (key, name) in [
        ("traceparent", "traceparent"),
        (IDEMPOTENCY_META, "idempotency-key"),
    ] {
        let value = meta.get(key).and_then(serde_json::Value::as_str);
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}

impl StreamableHttpClient for Client {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        auth: Option<String>,
        headers: Headers,
    ) -> Posted {
        let limits = StreamableHttpResponseLimits::default();
        self.post_message_with_response_limits(uri, message, session, auth, headers, limits)
            .await
    }

    async fn post_message_with_response_limits(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        auth: Option<String>,
        headers: Headers,
        limits: StreamableHttpResponseLimits,
    ) -> Posted {
        let headers = with_meta(headers, &message);
        let client = &self.0;
        client
            .post_message_with_response_limits(uri, message, session, auth, headers, limits)
            .await
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session: Arc<str>,
        auth: Option<String>,
        headers: Headers,
    ) -> Result<(), StreamableHttpError<Self::Error>> {
        self.0.delete_session(uri, session, auth, headers).await
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        auth: Option<String>,
        headers: Headers,
    ) -> Streamed {
        let client = &self.0;
        client
            .get_stream(uri, session, last_event, auth, headers)
            .await
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        auth: Option<String>,
        headers: Headers,
        most: usize,
    ) -> Streamed {
        let client = &self.0;
        client
            .get_stream_with_max_sse_event_size(uri, session, last_event, auth, headers, most)
            .await
    }
}
