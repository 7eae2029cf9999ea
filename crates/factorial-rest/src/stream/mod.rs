//! Streams: the log of a task or a batch, or the feed of an owner, then what is added, without gap or repetition.

mod feed;
mod filter;
mod follow;
mod item;
mod log;
mod reply;
mod request;
mod snapshot;
mod socket;
mod source;
mod sse;
mod upgrade;

pub(crate) use feed::{Feed, Position};
pub(crate) use filter::{FeedFilter, Pattern};
pub(crate) use log::Log;
pub use reply::{OpenReply, Part};
pub(crate) use request::{EventsRequest, last_event_id, stream, wants_stream};
pub(crate) use source::Source;
pub(crate) use upgrade::Upgrade;
