//! The results of a batch as a stream that survives the connections it comes over.
//!
//! Invariant: every result after the given index comes once and in order, whatever happens to gateways on the way.

use std::{fmt, pin::Pin};

use bytes::BytesMut;
use factorial_api::{BatchResult, TaskStatus};
use futures::{Stream, StreamExt, stream};
use reqwest::Method;
use tokio::time::{sleep, timeout};

use crate::{
    client::{Client, refusal, transport},
    error::ClientError,
};

type Parts = Pin<Box<dyn Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>;

/// A place in the results, with or without a connection.
struct Results {
    client: Client,
    id: String,
    after: Option<u64>,
    status: Option<TaskStatus>,
    parts: Option<Parts>,
    buffer: BytesMut,
    /// Tries in a row that brought nothing.
    failures: u32,
    done: bool,
}

/// The results of the members that have ended, after an index.
pub(crate) fn results(
    client: &Client,
    id: &str,
    starting_after: Option<u64>,
    status: Option<TaskStatus>,
) -> impl Stream<Item = Result<BatchResult, ClientError>> + Send + use<> {
    let reader = Results {
        client: client.clone(),
        id: id.to_owned(),
        after: starting_after,
        status,
        parts: None,
        buffer: BytesMut::new(),
        failures: 0,
        done: false,
    };
    stream::unfold(reader, |mut reader| async move {
        let item = reader.next().await?;
        Some((item, reader))
    })
    .boxed()
}

impl fmt::Debug for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Results")
            .field("id", &self.id)
            .field("after", &self.after)
            .finish()
    }
}

impl Results {
    async fn next(&mut self) -> Option<Result<BatchResult, ClientError>> {
        while !self.done {
            let error = match self.step().await {
                Ok(Some(result)) => {
                    self.failures = 0;
                    self.after = Some(result.index);
                    return Some(Ok(result));
                }
                Ok(None) => continue,
                Err(error) => error,
            };
            self.parts = None;
            self.buffer.clear();
            self.failures += 1;
            let policy = self.client.0.retry;
            let delay = policy.delay(self.failures, error.retry_after(), rand::random());
            match delay {
                Some(delay) if error.is_temporary() && self.failures < policy.stream_tries => {
                    sleep(delay).await;
                }
                _ => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }

    async fn step(&mut self) -> Result<Option<BatchResult>, ClientError> {
        if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line = self.buffer.split_to(end + 1);
            return Ok(Some(serde_json::from_slice(&line)?));
        }
        let Some(parts) = &mut self.parts else {
            self.parts = Some(self.connect().await?);
            return Ok(None);
        };
        let silence = self.client.0.stream_silence;
        let Ok(part) = timeout(silence, parts.next()).await else {
            return Err(ClientError::Silent);
        };
        match part {
            Some(part) => self.buffer.extend_from_slice(&part.map_err(transport)?),
            None if self.buffer.is_empty() => self.done = true,
            // The last line has no end: something in between cut it.
            None => return Err(ClientError::Silent),
        }
        Ok(None)
    }

    async fn connect(&mut self) -> Result<Parts, ClientError> {
        let mut query = Vec::new();
        query.extend(self.after.map(|n| ("starting_after", n.to_string())));
        query.extend(self.status.map(|s| ("status", s.as_str().to_owned())));
        let request =
            self.client
                .request_with(Method::GET, &["v1", "batches", &self.id, "results"], &query);
        let Ok(response) = timeout(self.client.0.timeout, request.send()).await else {
            return Err(ClientError::Silent);
        };
        let response = response.map_err(transport)?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        Ok(response.bytes_stream().boxed())
    }
}
