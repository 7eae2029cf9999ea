//! What handlers take out of a request. Each extractor refuses with a problem document.

mod body;
mod depth;
mod idempotency_key;
mod json;
mod names;
mod params;

pub(crate) use idempotency_key::IdempotencyKey;
pub(crate) use json::{Json, OptionalJson};
pub(crate) use names::{AgentInPath, TaskInPath};
pub(crate) use params::{Params, within};
