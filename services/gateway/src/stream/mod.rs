//! Event streams: the log of a task, then what is appended to it, without gap or repetition.

mod body;
mod follow;

pub(crate) use body::sse;
