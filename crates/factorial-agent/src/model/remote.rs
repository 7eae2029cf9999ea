//! One model at one place, through the `genai` library.
//!
//! Built with an agent, called through [`super::ModelChain`]. The library makes the request of each provider and reads
//! its stream; what it leaves open (truncated streams, refusals, statuses of failed streams) is settled here.

use std::{sync::Arc, time::SystemTime};

use async_trait::async_trait;
use genai::{
    Client, Headers, ModelIden, ServiceTarget,
    adapter::AdapterKind,
    chat::{ChatFrameSink, ChatStream},
    resolver::{AuthData, Endpoint},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::{
    Deltas, FinishReason, Model, ModelError, ModelReply, ModelRequest, convert, frames::Frames,
    requests::Requests, stream::Collected,
};
use crate::{
    ErrorKind,
    definition::{ModelTarget, Provider},
    model::HttpClients,
    provider::Providers,
};

/// The header that names the task to the model server.
const TASK_HEADER: &str = "x-factorial-task";

/// One model.
pub(crate) struct RemoteModel {
    client: Client,
    provider: Provider,
    name: String,
    base_url: String,
    key: Option<SecretString>,
    headers: Vec<(String, String)>,
    requests: Requests,
}

impl std::fmt::Debug for RemoteModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteModel")
            .field("provider", &self.provider)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl RemoteModel {
    /// Resolves the address, the key and the headers of `target`.
    ///
    /// # Errors
    /// What is missing or malformed, naming the variable to set.
    pub(crate) fn new(
        target: &ModelTarget,
        providers: &Providers,
        http: &HttpClients,
    ) -> Result<Self, String> {
        let endpoint = providers.endpoint(target)?;
        let client = Client::builder()
            .with_reqwest(http.to(endpoint.base_url.as_str()).clone())
            .build()
            .map_err(|error| format!("model {}: {error}", target.name))?;
        let mut headers = Vec::with_capacity(target.headers.len() + 1);
        for (name, template) in &target.headers {
            let value = providers
                .filled(template)
                .map_err(|error| format!("model {}: {error}", target.name))?;
            if http::HeaderName::try_from(name.as_str()).is_err()
                || http::HeaderValue::try_from(value.as_str()).is_err()
            {
                return Err(format!(
                    "model {}: header {name:?} is not a valid HTTP header",
                    target.name
                ));
            }
            headers.push((name.clone(), value));
        }
        Ok(Self {
            client,
            provider: target.provider,
            requests: Requests::of(target.provider.as_str(), &target.name),
            name: target.name.clone(),
            base_url: endpoint.base_url,
            key: endpoint.key,
            headers,
        })
    }

    fn target(&self) -> ServiceTarget {
        let adapter = match self.provider {
            Provider::Openai | Provider::OpenaiCompatible => AdapterKind::OpenAI,
            Provider::Xai => AdapterKind::Xai,
            Provider::Anthropic => AdapterKind::Anthropic,
            Provider::Gemini => AdapterKind::Gemini,
            Provider::Fireworks => AdapterKind::Fireworks,
            Provider::Ollama => AdapterKind::Ollama,
        };
        // The library insists on a key; servers that want none ignore the header.
        let key = self.key.as_ref().map_or("none", |key| key.expose_secret());
        ServiceTarget {
            endpoint: Endpoint::from_owned(self.base_url.as_str()),
            auth: AuthData::from_single(key),
            model: ModelIden::new(adapter, self.name.as_str()),
        }
    }

    async fn stream(
        &self,
        request: &ModelRequest<'_>,
        frames: &Arc<Frames>,
        deltas: &mut Deltas<'_>,
    ) -> Result<Collected, ModelError> {
        // In a box, and with it the request's parts: they are gone while the reply is waited for.
        let mut stream = Box::pin(self.open(request, frames)).await?;
        Collected::read(&mut stream, deltas)
            .await
            .map_err(|error| match error {
                Ok(error) => self.error(&error),
                Err(error) => error,
            })
    }

    /// Makes the request; it is sent when the stream is read.
    async fn open(
        &self,
        request: &ModelRequest<'_>,
        frames: &Arc<Frames>,
    ) -> Result<ChatStream, ModelError> {
        let mut headers = self.headers.clone();
        headers.push((TASK_HEADER.to_owned(), request.task_id.to_owned()));
        let sink: Arc<dyn ChatFrameSink> = Arc::<Frames>::clone(frames);
        let options = convert::options(self.provider, &self.name, request)
            .with_extra_headers(Headers::from(headers))
            .with_raw_frame_sink_arc(sink);
        let chat = convert::request(self.provider, request);
        self.client
            .exec_chat_stream(self.target(), chat, Some(&options))
            .await
            .map(|response| response.stream)
            .map_err(|error| self.error(&error))
    }

    fn error(&self, error: &genai::Error) -> ModelError {
        let error = classify(error);
        match &self.key {
            Some(key) => error.redacted(key.expose_secret()),
            None => error,
        }
    }
}

/// The library wraps failures of a stream in several ways.
fn classify(error: &genai::Error) -> ModelError {
    match error {
        genai::Error::HttpError {
            status,
            body,
            headers,
            ..
        } => ModelError::from_status(*status, headers, body, SystemTime::now()),
        genai::Error::ChatResponse { body, .. } => ModelError::from_stream_body(body),
        genai::Error::StreamParse { serde_error, .. } => ModelError::new(
            ErrorKind::InvalidReply,
            format!("the stream holds invalid JSON: {serde_error}"),
        ),
        genai::Error::JsonValueExt(error) => ModelError::new(
            ErrorKind::InvalidReply,
            format!("the stream holds unexpected JSON: {error}"),
        ),
        genai::Error::WebStream { error, cause, .. } => {
            if let Some(inner) = error.downcast_ref::<genai::Error>() {
                classify(inner)
            } else if let Some(inner) = error.downcast_ref::<reqwest::Error>() {
                ModelError::from_transport(inner)
            } else {
                ModelError::new(ErrorKind::StreamInterrupted, cause.as_str())
            }
        }
        // Everything else happens before the request is sent: a message that the provider's protocol has no form for.
        other => ModelError::new(ErrorKind::BadRequest, other.to_string()),
    }
}

#[async_trait]
impl Model for RemoteModel {
    async fn call(
        &self,
        request: &ModelRequest<'_>,
        deltas: &mut Deltas<'_>,
    ) -> Result<ModelReply, ModelError> {
        let request_open = self.requests.open();
        let reply = self.reply(request, deltas).await;
        request_open.answered(reply.as_ref().err().map(|error| error.kind));
        reply
    }
}

impl RemoteModel {
    async fn reply(
        &self,
        request: &ModelRequest<'_>,
        deltas: &mut Deltas<'_>,
    ) -> Result<ModelReply, ModelError> {
        let started = Instant::now();
        let frames = Arc::new(Frames::default());
        let mut collected = self.stream(request, &frames, deltas).await?;
        let (mut finish_reason, tool_calls, usage) = collected.finish()?;
        let seen = frames.seen();
        let mut text = std::mem::take(&mut collected.text);
        if !seen.refusal.is_empty() {
            finish_reason = FinishReason::Refusal;
            if text.is_empty() {
                text = seen.refusal;
            }
        }
        Ok(ModelReply {
            text,
            tool_calls,
            reasoning: Some(collected.reasoning).filter(|reasoning| !reasoning.is_empty()),
            finish_reason,
            usage,
            model: self.name.clone(),
            provider: self.provider.as_str().to_owned(),
            provider_response_id: seen.id,
            time_to_first_token: collected
                .first_token
                .unwrap_or_else(Instant::now)
                .duration_since(started),
            duration: started.elapsed(),
        })
    }
}
