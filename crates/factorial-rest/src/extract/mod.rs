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
pub use json::Json;
pub(crate) use json::{OptionalJson, has_media_type, parse_json};
pub(crate) use names::{
    AgentInPath, AnyBatchInPath, AnyTaskInPath, BatchInPath, DeliveryInPath, KeyInPath, TaskInPath,
    WebhookInPath,
};
pub use params::Params;
pub(crate) use params::{instant, time_cursor, within};
pub(crate) use trace_parent::{TraceParent, trace_parent};
