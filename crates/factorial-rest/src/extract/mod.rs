//! What handlers take out of a request. Each extractor refuses with a problem document.

mod body;
mod calls;
mod cursor;
mod depth;
mod idempotency_key;
mod json;
mod names;
mod params;
mod trace_parent;

pub(crate) use calls::{CallByToken, CallInPath};
pub(crate) use cursor::{open_cursor, seal_cursor};
pub(crate) use idempotency_key::IdempotencyKey;
pub(crate) use json::{Json, OptionalJson, has_media_type, parse_json};
pub(crate) use names::{AgentInPath, BatchInPath, DeliveryInPath, TaskInPath, WebhookInPath};
pub use params::Params;
pub(crate) use params::{instant, time_cursor, within};
pub(crate) use trace_parent::TraceParent;
