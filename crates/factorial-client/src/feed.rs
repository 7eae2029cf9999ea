//! The feed of an owner.

use factorial_api::{ErrorCode, FeedEvent};
use futures::Stream;
use reqwest::{Method, RequestBuilder};

use crate::{
    client::Client,
    error::ClientError,
    follow::{Frame, Place, follow},
};

/// Which events of a feed, and from where on.
#[derive(Clone, Debug, Default)]
pub struct FeedRequest {
    /// Only of these tasks and batches, if any are named.
    pub task_ids: Vec<String>,
    /// Only of these types, if any are named.
    pub event_types: Vec<String>,
    /// Only of types that fit, with `*` for any characters.
    pub event_pattern: Option<String>,
    /// `cursor` of the last event that was seen; from now on if absent.
    pub cursor: Option<String>,
}

struct InFeed {
    owner: String,
    request: FeedRequest,
}

impl Place for InFeed {
    type Item = FeedEvent;

    fn request(&self, client: &Client) -> RequestBuilder {
        let request = &self.request;
        let mut query = vec![("owner_id", self.owner.clone())];
        for (name, values) in [
            ("task_ids", &request.task_ids),
            ("event_types", &request.event_types),
        ] {
            if !values.is_empty() {
                query.push((name, values.join(",")));
            }
        }
        for (name, value) in [
            ("event_pattern", &request.event_pattern),
            ("cursor", &request.cursor),
        ] {
            query.extend(value.iter().map(|value| (name, value.clone())));
        }
        client.request_with(Method::GET, &["v1", "events"], &query)
    }

    fn take(&mut self, frame: &Frame) -> Result<Option<FeedEvent>, ClientError> {
        let mut event: FeedEvent = serde_json::from_str(&frame.data)?;
        if !frame.id.is_empty() {
            self.request.cursor = Some(frame.id.clone());
        }
        event.cursor.clone_from(&self.request.cursor);
        Ok(Some(event))
    }

    fn ends(&self, _: Option<ErrorCode>) -> bool {
        false
    }
}

impl Client {
    /// The events of all tasks and batches of an owner as they happen. Connections that break are opened anew, where they
    /// ended; a `feed_gap` among the events says that some are missing, and a `feed_snapshot` after it how things stand.
    ///
    /// The stream does not end by itself, but after its first error: a refusal, or a gateway that stays away.
    pub fn feed(
        &self,
        owner: &str,
        request: FeedRequest,
    ) -> impl Stream<Item = Result<FeedEvent, ClientError>> + Send + use<> {
        let place = InFeed {
            owner: owner.to_owned(),
            request,
        };
        follow(self, place)
    }
}
