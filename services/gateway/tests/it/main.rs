//! The gateway over real HTTP, on a real Redis.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod access;
mod agents;
mod approvals;
mod bad_input;
mod batches;
mod bodies;
mod callbacks;
mod caller_tools;
mod context;
mod control;
mod events;
mod feed;
mod idempotency;
mod lists;
mod messages;
mod openapi;
mod outage;
mod overload;
mod process;
mod result;
mod sockets;
mod submit;
mod support;
mod tool_call_bounds;
mod tool_calls;
mod tree;
mod webhooks;
