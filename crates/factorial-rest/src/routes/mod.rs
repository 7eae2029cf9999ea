//! The operations, one file each: `<resource>/<verb>.rs`. A handler extracts, calls, converts.

pub(crate) mod agents;
pub(crate) mod approvals;
pub(crate) mod batches;
pub(crate) mod callbacks;
pub(crate) mod events;
pub(crate) mod fallback;
pub(crate) mod health;
pub(crate) mod keys;
mod page;
pub(crate) mod tasks;
pub(crate) mod tool_calls;
pub(crate) mod webhooks;
pub(crate) mod workers;

pub(crate) use page::cut;
