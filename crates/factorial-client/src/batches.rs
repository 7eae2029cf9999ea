//! Batches: submitting, reading, cancelling, watching.

use std::{path::Path, time::Duration};

use factorial_api::{
    Batch, BatchEvent, BatchEventPage, BatchPage, BatchResult, BatchSettings, CancelBatchRequest,
    ErrorCode, SubmitBatch, TaskStatus,
};
use futures::Stream;
use reqwest::{Body, Method, header::CONTENT_TYPE};
use tokio::{fs::File, io::AsyncRead, time::sleep};
use tokio_util::io::ReaderStream;
use ulid::Ulid;

use crate::{
    client::{Answer, Client, Repeat},
    error::ClientError,
    events::{Subject, log},
    results::results,
    tasks::page,
};

/// How long the submission of a batch may take: as long as it may take to be filled.
const SUBMITTED_WITHIN: Duration = Duration::from_secs(3600);

/// A batch that was accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct SubmittedBatch {
    /// The batch, as of the answer.
    pub batch: Batch,
    /// The same request had been accepted before.
    pub replayed: bool,
}

impl Client {
    /// Submits a batch in one document. Sent again after a failure, it goes on where it stopped: by `idempotency_key`, or
    /// one made for this call.
    ///
    /// # Errors
    /// When it is refused, or remains unanswered; then it may have been accepted all the same.
    pub async fn submit_batch(
        &self,
        batch: &SubmitBatch,
        idempotency_key: Option<&str>,
    ) -> Result<SubmittedBatch, ClientError> {
        let request = self.request(Method::POST, &["v1", "batches"]);
        let request = request.header("idempotency-key", key(idempotency_key));
        let sent = self.send(request.json(batch), Repeat::Safe, SUBMITTED_WITHIN);
        submitted(&sent.await?)
    }

    /// Submits the lines of a file as a batch, without holding them in memory. Sent again as
    /// [`Client::submit_batch`] is.
    ///
    /// # Errors
    /// [`ClientError::Read`] when the file cannot be read; else as [`Client::submit_batch`].
    pub async fn submit_batch_file(
        &self,
        settings: &BatchSettings,
        path: &Path,
        idempotency_key: Option<&str>,
    ) -> Result<SubmittedBatch, ClientError> {
        let key = key(idempotency_key);
        let mut failures = 0;
        loop {
            let file = File::open(path).await.map_err(ClientError::Read)?;
            let error = match self.submit_lines(settings, file, &key).await {
                Ok(submitted) => return Ok(submitted),
                Err(error) => error,
            };
            failures += 1;
            let policy = &self.0.retry;
            let delay = policy.delay(failures, error.retry_after(), rand::random());
            match delay {
                Some(delay) if error.is_temporary() && failures < policy.tries => {
                    tracing::debug!(%error, failures, "batch sent again");
                    sleep(delay).await;
                }
                _ => return Err(error),
            }
        }
    }

    /// Submits lines as a batch as they are read. What was read cannot be sent again: after a failure, the same lines with
    /// the same `idempotency_key` go on where these stopped.
    ///
    /// # Errors
    /// As [`Client::submit_batch`].
    pub async fn submit_batch_reader(
        &self,
        settings: &BatchSettings,
        lines: impl AsyncRead + Send + 'static,
        idempotency_key: Option<&str>,
    ) -> Result<SubmittedBatch, ClientError> {
        self.submit_lines(settings, lines, &key(idempotency_key))
            .await
    }

    async fn submit_lines(
        &self,
        settings: &BatchSettings,
        lines: impl AsyncRead + Send + 'static,
        key: &str,
    ) -> Result<SubmittedBatch, ClientError> {
        let request = self
            .request_with(Method::POST, &["v1", "batches"], &query(settings)?)
            .header("idempotency-key", key)
            .header(CONTENT_TYPE, "application/x-ndjson")
            .body(Body::wrap_stream(ReaderStream::new(lines)));
        let answer = self.send(request, Repeat::Never, SUBMITTED_WITHIN).await?;
        submitted(&answer)
    }

    /// A batch.
    ///
    /// # Errors
    /// When it is not there, or the call remains unanswered.
    pub async fn batch(&self, id: &str) -> Result<Batch, ClientError> {
        self.get(&["v1", "batches", id], &[]).await
    }

    /// A page of batches, newest first; all, or those of an owner.
    ///
    /// # Errors
    /// When it is refused or remains unanswered.
    pub async fn batches(
        &self,
        owner_id: Option<&str>,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<BatchPage, ClientError> {
        let mut query = page(cursor, limit);
        query.extend(owner_id.map(|owner| ("owner_id", owner.to_owned())));
        self.get(&["v1", "batches"], &query).await
    }

    /// Cancels a batch with all its members. To cancel it again is no error.
    ///
    /// # Errors
    /// When it is not there, has ended otherwise, or the call remains unanswered.
    pub async fn cancel_batch(&self, id: &str, reason: Option<&str>) -> Result<Batch, ClientError> {
        let body = CancelBatchRequest {
            reason: reason.map(str::to_owned),
            owner_id: None,
        };
        let request = self.request(Method::POST, &["v1", "batches", id, "cancel"]);
        // Large ones take a while.
        self.send(request.json(&body), Repeat::Safe, 4 * self.0.timeout)
            .await?
            .decode()
    }

    /// A page of the events of a batch after a `seq`, oldest first.
    ///
    /// # Errors
    /// When it is not there, or the call remains unanswered.
    pub async fn batch_event_page(
        &self,
        id: &str,
        starting_after: u64,
        limit: Option<u32>,
    ) -> Result<BatchEventPage, ClientError> {
        let mut query = page(None, limit);
        query.push(("starting_after", starting_after.to_string()));
        self.get(&["v1", "batches", id, "events"], &query).await
    }

    /// The events of a batch after a `seq` (0: all), until it has ended. Connections that break are opened anew.
    ///
    /// The stream ends after its first error: a refusal, or a gateway that stays away.
    pub fn batch_events(
        &self,
        id: &str,
        starting_after: u64,
    ) -> impl Stream<Item = Result<BatchEvent, ClientError>> + Send + use<> {
        log(self, id, starting_after)
    }

    /// The results of the members that have ended, in order, from the first on or after an index. A stream that breaks off
    /// is gone on with. It ends after its first error.
    pub fn batch_results(
        &self,
        id: &str,
        starting_after: Option<u64>,
        status: Option<TaskStatus>,
    ) -> impl Stream<Item = Result<BatchResult, ClientError>> + Send + use<> {
        results(self, id, starting_after, status)
    }
}

impl Subject for BatchEvent {
    const PLURAL: &'static str = "batches";
    const GONE: ErrorCode = ErrorCode::BatchNotFound;

    fn seq(&self) -> u64 {
        self.seq
    }

    fn is_terminal(&self) -> bool {
        matches!(
            self.event_type.as_str(),
            "batch_completed" | "batch_cancelled"
        )
    }
}

fn key(given: Option<&str>) -> String {
    given.map_or_else(|| Ulid::generate().to_string(), str::to_owned)
}

fn submitted(answer: &Answer) -> Result<SubmittedBatch, ClientError> {
    Ok(SubmittedBatch {
        batch: answer.decode()?,
        replayed: answer.headers.contains_key("idempotency-replayed"),
    })
}

/// The settings as parameters.
fn query(settings: &BatchSettings) -> Result<Vec<(&'static str, String)>, ClientError> {
    let limits = settings.limits.clone().unwrap_or_default();
    let mut query = vec![("owner_id", settings.owner_id.clone())];
    query.extend(settings.agent.clone().map(|agent| ("agent", agent)));
    query.extend(settings.priority.map(|n| ("priority", n.to_string())));
    query.extend(limits.max_turns.map(|n| ("max_turns", n.to_string())));
    let tokens = limits.max_total_tokens;
    query.extend(tokens.map(|n| ("max_total_tokens", n.to_string())));
    let calls = limits.max_tool_calls;
    query.extend(calls.map(|n| ("max_tool_calls", n.to_string())));
    let seconds = limits.deadline_seconds;
    query.extend(seconds.map(|n| ("deadline_seconds", n.to_string())));
    if settings.stream {
        query.push(("stream", "true".to_owned()));
    }
    if let Some(webhook) = &settings.webhook {
        query.push(("webhook_url", webhook.url.clone()));
        let types: Vec<_> = webhook.event_types.iter().map(|t| t.as_str()).collect();
        if !types.is_empty() {
            query.push(("webhook_event_types", types.join(",")));
        }
        if webhook.secret.is_some() {
            let problem =
                "a secret of a webhook must not be part of a URL: submit the batch as JSON";
            return Err(ClientError::Setup(problem.to_owned()));
        }
    }
    if !settings.metadata.is_empty() {
        query.push(("metadata", serde_json::to_string(&settings.metadata)?));
    }
    Ok(query)
}
