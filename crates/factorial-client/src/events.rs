//! The events of a task or a batch as a stream that survives the connections it comes over.
//!
//! Invariant: every `seq` after the given one comes once and in order, whatever happens to gateways on the way.

use std::{fmt, marker::PhantomData, pin::Pin};

use eventsource_stream::{EventStreamError, Eventsource};
use factorial_api::{ErrorCode, Event};
use futures::{Stream, StreamExt, stream};
use reqwest::{Method, StatusCode, header::ACCEPT};
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};

use crate::{
    client::{Client, refusal, transport},
    error::ClientError,
};

type Frames = Pin<Box<dyn Stream<Item = Result<String, ClientError>> + Send>>;

/// What a log is about.
pub(crate) trait Subject: DeserializeOwned + Send + 'static {
    /// As it is in paths.
    const PLURAL: &'static str;
    /// Says that it has expired.
    const GONE: ErrorCode;

    /// Place in the log.
    fn seq(&self) -> u64;

    /// The event is the last one, for now at least.
    fn is_terminal(&self) -> bool;
}

impl Subject for Event {
    const PLURAL: &'static str = "tasks";
    const GONE: ErrorCode = ErrorCode::TaskNotFound;

    fn seq(&self) -> u64 {
        self.seq
    }

    fn is_terminal(&self) -> bool {
        matches!(
            self.event_type.as_str(),
            "run_completed" | "run_failed" | "run_cancelled"
        )
    }
}

/// A reader's place, with or without a connection.
struct Reader<E> {
    client: Client,
    id: String,
    last: u64,
    frames: Option<Frames>,
    /// The connection has brought no event.
    fresh: bool,
    /// Tries in a row that brought no event.
    failures: u32,
    /// An end of the run was seen; the task may have expired since.
    ended: bool,
    done: bool,
    subject: PhantomData<fn() -> E>,
}

/// What the next step of a reader brought.
enum Step<E> {
    Event(E),
    /// Nothing, but it may go on.
    Nothing,
    End,
}

impl Client {
    /// The events of a task after a `seq` (0: all), until the task has ended. Connections that break are opened anew.
    ///
    /// The stream ends after its first error: a refusal, or a gateway that stays away.
    pub fn events(
        &self,
        id: &str,
        starting_after: u64,
    ) -> impl Stream<Item = Result<Event, ClientError>> + Send + use<> {
        follow(self, id, starting_after)
    }
}

/// The events of a subject after a `seq`, over as many connections as it takes.
pub(crate) fn follow<E: Subject>(
    client: &Client,
    id: &str,
    starting_after: u64,
) -> impl Stream<Item = Result<E, ClientError>> + Send + use<E> {
    let reader = Reader {
        client: client.clone(),
        id: id.to_owned(),
        last: starting_after,
        frames: None,
        fresh: true,
        failures: 0,
        ended: false,
        done: false,
        subject: PhantomData,
    };
    stream::unfold(reader, |mut reader| async move {
        let item = reader.next().await?;
        Some((item, reader))
    })
    .boxed()
}

impl<E> fmt::Debug for Reader<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("id", &self.id)
            .field("last", &self.last)
            .finish()
    }
}

impl<E: Subject> Reader<E> {
    async fn next(&mut self) -> Option<Result<E, ClientError>> {
        while !self.done {
            match self.step().await {
                Ok(Step::Event(event)) => {
                    self.failures = 0;
                    return Some(Ok(event));
                }
                Ok(Step::Nothing) => {}
                Ok(Step::End) => self.done = true,
                Err(error) => {
                    self.frames = None;
                    if let Err(error) = self.pause(error).await {
                        self.done = true;
                        return Some(Err(error));
                    }
                }
            }
        }
        None
    }

    async fn step(&mut self) -> Result<Step<E>, ClientError> {
        let Some(frames) = &mut self.frames else {
            return self.connect().await;
        };
        let silence = self.client.0.stream_silence;
        let Ok(frame) = timeout(silence, frames.next()).await else {
            return Err(ClientError::Silent);
        };
        let Some(data) = frame else {
            // The subject has ended, or the gateway has; the next connection will tell. Not at once when this one
            // brought nothing: something in between may answer like this for ever.
            self.frames = None;
            return if self.fresh {
                Err(ClientError::Silent)
            } else {
                Ok(Step::Nothing)
            };
        };
        let event: E = serde_json::from_str(&data?)?;
        let seq = event.seq();
        if seq <= self.last {
            return Ok(Step::Nothing);
        }
        if seq > self.last + 1 {
            // Something between the gateway and here has swallowed some.
            return Err(ClientError::Silent);
        }
        self.fresh = false;
        self.last = seq;
        self.ended = event.is_terminal();
        Ok(Step::Event(event))
    }

    async fn connect(&mut self) -> Result<Step<E>, ClientError> {
        let client = &self.client;
        let query = [("starting_after", self.last.to_string())];
        let request = client
            .request_with(Method::GET, &["v1", E::PLURAL, &self.id, "events"], &query)
            .header(ACCEPT, "text/event-stream");
        // No bound on the whole: a stream lasts as long as its subject.
        let Ok(response) = timeout(client.0.timeout, request.send()).await else {
            return Err(ClientError::Silent);
        };
        let response = response.map_err(transport)?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Step::End);
        }
        if !response.status().is_success() {
            let error = refusal(response).await;
            return match error.code() {
                Some(code) if code == E::GONE && self.ended => Ok(Step::End),
                _ => Err(error),
            };
        }
        let frames = response
            .bytes_stream()
            .eventsource()
            .map(|frame| match frame {
                Ok(frame) => Ok(frame.data),
                Err(EventStreamError::Transport(error)) => Err(transport(error)),
                Err(_) => Err(ClientError::Silent),
            });
        self.frames = Some(frames.boxed());
        self.fresh = true;
        Ok(Step::Nothing)
    }

    /// Waits before the next try, or gives the error back when there is none.
    async fn pause(&mut self, error: ClientError) -> Result<(), ClientError> {
        self.failures += 1;
        let policy = self.client.0.retry;
        let delay = policy.delay(self.failures, error.retry_after(), rand::random());
        match delay {
            Some(delay) if error.is_temporary() && self.failures < policy.stream_tries => {
                tracing::debug!(%error, failures = self.failures, "event stream opened anew");
                sleep(delay).await;
                Ok(())
            }
            _ => Err(error),
        }
    }
}
