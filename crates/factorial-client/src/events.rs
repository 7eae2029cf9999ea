//! The events of a task or a batch as a stream that survives the connections it comes over.
//!
//! Invariant: every `seq` after the given one comes once and in order, whatever happens to gateways on the way.

use std::marker::PhantomData;

use factorial_api::{ErrorCode, Event, TEXT_DELTA, TextDelta};
use futures::Stream;
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;

use crate::{
    client::Client,
    error::ClientError,
    follow::{Frame, Place, follow},
};

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

/// A reader's place in a log.
struct InLog<E> {
    id: String,
    last: u64,
    /// An end of the run was seen; the task may have expired since.
    ended: bool,
    subject: PhantomData<fn() -> E>,
}

impl<E> InLog<E> {
    fn new(id: &str, last: u64) -> Self {
        Self {
            id: id.to_owned(),
            last,
            ended: false,
            subject: PhantomData,
        }
    }
}

impl<E: Subject> Place for InLog<E> {
    type Item = E;

    fn request(&self, client: &Client) -> RequestBuilder {
        let query = [("starting_after", self.last.to_string())];
        client.request_with(Method::GET, &["v1", E::PLURAL, &self.id, "events"], &query)
    }

    fn take(&mut self, frame: &Frame) -> Result<Option<E>, ClientError> {
        // Text on its way is in no log.
        if frame.name == TEXT_DELTA {
            return Ok(None);
        }
        let event: E = serde_json::from_str(&frame.data)?;
        let seq = event.seq();
        if seq <= self.last {
            return Ok(None);
        }
        if seq > self.last + 1 {
            // Something between the gateway and here has swallowed some.
            return Err(ClientError::Silent);
        }
        self.last = seq;
        self.ended = event.is_terminal();
        Ok(Some(event))
    }

    fn ends(&self, refusal: Option<ErrorCode>) -> bool {
        self.ended && refusal == Some(E::GONE)
    }
}

/// What comes of a task that is followed live.
#[derive(Clone, Debug, PartialEq)]
pub enum Live {
    /// An event of its log.
    Event(Event),
    /// Text of the reply that its model is giving, which is in no log.
    Text(TextDelta),
}

struct InLive(InLog<Event>);

impl Place for InLive {
    type Item = Live;

    fn request(&self, client: &Client) -> RequestBuilder {
        self.0.request(client)
    }

    fn take(&mut self, frame: &Frame) -> Result<Option<Live>, ClientError> {
        if frame.name == TEXT_DELTA {
            return Ok(Some(Live::Text(serde_json::from_str(&frame.data)?)));
        }
        Ok(self.0.take(frame)?.map(Live::Event))
    }

    fn ends(&self, refusal: Option<ErrorCode>) -> bool {
        self.0.ends(refusal)
    }
}

impl Client {
    /// As [`Client::events`], and the text of open replies of a task without `stream` as it comes. Text of a reply begins
    /// anew at offset 0, also when a connection was opened anew.
    pub fn live(
        &self,
        id: &str,
        starting_after: u64,
    ) -> impl Stream<Item = Result<Live, ClientError>> + Send + use<> {
        follow(self, InLive(InLog::new(id, starting_after)))
    }

    /// The events of a task after a `seq` (0: all), until the task has ended. Connections that break are opened anew.
    ///
    /// The stream ends after its first error: a refusal, or a gateway that stays away.
    pub fn events(
        &self,
        id: &str,
        starting_after: u64,
    ) -> impl Stream<Item = Result<Event, ClientError>> + Send + use<> {
        log(self, id, starting_after)
    }
}

/// The events of a subject after a `seq`, over as many connections as it takes.
pub(crate) fn log<E: Subject>(
    client: &Client,
    id: &str,
    starting_after: u64,
) -> impl Stream<Item = Result<E, ClientError>> + Send + use<E> {
    follow(client, InLog::<E>::new(id, starting_after))
}
