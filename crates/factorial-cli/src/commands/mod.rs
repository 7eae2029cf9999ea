//! The commands that ask a gateway one thing and print the answer.

mod agents;
mod batches;
mod events;
mod keys;
mod tasks;
mod webhooks;
mod workers;

pub(crate) use agents::{AgentsArgs, agents};
pub(crate) use batches::{
    BatchArgs, BatchCancelArgs, BatchListArgs, BatchResultsArgs, batch_cancel, batch_get,
    batch_list, batch_results,
};
pub(crate) use events::{FeedArgs, feed};
pub(crate) use keys::{AuditArgs, KeysCommand, audit, keys};
pub(crate) use tasks::{
    CancelArgs, EventsArgs, ListArgs, ResultArgs, SteerArgs, TaskArgs, ToolCallsArgs, TreeArgs,
    cancel, events, get, list, messages, result, retry, show_result, steer, tool_calls, tree,
};
pub(crate) use webhooks::{WebhooksCommand, webhooks};
pub(crate) use workers::workers;
