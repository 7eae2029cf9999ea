//! Following a stream of events over as many connections as it takes.
//!
//! Used for logs and feeds. Invariant: what the place of the reader has taken is not given again.

use std::pin::Pin;

use eventsource_stream::{EventStreamError, Eventsource};
use factorial_api::ErrorCode;
use futures::{Stream, StreamExt, stream};
use reqwest::{RequestBuilder, StatusCode, header::ACCEPT};
use tokio::time::{sleep, timeout};

use crate::{
    client::{Client, refusal, transport},
    error::ClientError,
};

/// A message as it came.
pub(crate) struct Frame {
    /// `id`; empty if it has none.
    pub(crate) id: String,
    /// `event`.
    pub(crate) name: String,
    /// JSON.
    pub(crate) data: String,
}

/// Where a reader is.
pub(crate) trait Place: Send + 'static {
    /// What it gives out.
    type Item: Send + 'static;

    /// Asks for all that comes after it.
    fn request(&self, client: &Client) -> RequestBuilder;

    /// Takes a message; `None` when it was taken before, or is not for the user.
    ///
    /// # Errors
    /// When it does not follow what was taken.
    fn take(&mut self, frame: &Frame) -> Result<Option<Self::Item>, ClientError>;

    /// The refusal means that there is no more.
    fn ends(&self, refusal: Option<ErrorCode>) -> bool;
}

type Frames = Pin<Box<dyn Stream<Item = Result<Frame, ClientError>> + Send>>;

/// A reader, with or without a connection.
struct Reader<P> {
    client: Client,
    place: P,
    frames: Option<Frames>,
    /// The connection has brought no event.
    fresh: bool,
    /// Tries in a row that brought no event.
    failures: u32,
    done: bool,
}

/// What the next step of a reader brought.
enum Step<T> {
    Item(T),
    /// Nothing, but it may go on.
    Nothing,
    End,
}

/// All that comes after a place. The stream ends after its first error.
pub(crate) fn follow<P: Place>(
    client: &Client,
    place: P,
) -> impl Stream<Item = Result<P::Item, ClientError>> + Send + use<P> {
    let reader = Reader {
        client: client.clone(),
        place,
        frames: None,
        fresh: true,
        failures: 0,
        done: false,
    };
    stream::unfold(reader, |mut reader| async move {
        let item = reader.next().await?;
        Some((item, reader))
    })
    .boxed()
}

impl<P: Place> Reader<P> {
    async fn next(&mut self) -> Option<Result<P::Item, ClientError>> {
        while !self.done {
            match self.step().await {
                Ok(Step::Item(item)) => {
                    self.failures = 0;
                    return Some(Ok(item));
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

    async fn step(&mut self) -> Result<Step<P::Item>, ClientError> {
        let Some(frames) = &mut self.frames else {
            return self.connect().await;
        };
        let silence = self.client.0.stream_silence;
        let Ok(frame) = timeout(silence, frames.next()).await else {
            return Err(ClientError::Silent);
        };
        let Some(frame) = frame else {
            // The subject has ended, or the gateway has; the next connection will tell. Not at once when this one
            // brought nothing: something in between may answer like this for ever.
            self.frames = None;
            return if self.fresh {
                Err(ClientError::Silent)
            } else {
                Ok(Step::Nothing)
            };
        };
        let Some(item) = self.place.take(&frame?)? else {
            return Ok(Step::Nothing);
        };
        self.fresh = false;
        Ok(Step::Item(item))
    }

    async fn connect(&mut self) -> Result<Step<P::Item>, ClientError> {
        let client = &self.client;
        let request = self.place.request(client);
        let request = request.header(ACCEPT, "text/event-stream");
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
            return if self.place.ends(error.code()) {
                Ok(Step::End)
            } else {
                Err(error)
            };
        }
        let frames = response
            .bytes_stream()
            .eventsource()
            .map(|frame| match frame {
                Ok(frame) => Ok(Frame {
                    id: frame.id,
                    name: frame.event,
                    data: frame.data,
                }),
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
