//! Event streams: the log of a task or a batch, then what is appended to it, without gap or repetition.

mod body;
mod follow;
mod log;
mod request;

pub(crate) use log::Log;
pub(crate) use request::EventsRequest;
