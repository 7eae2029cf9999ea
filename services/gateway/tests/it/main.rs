//! The gateway over real HTTP, on a real Redis.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod agents;
mod bad_input;
mod bodies;
mod control;
mod events;
mod idempotency;
mod lists;
mod messages;
mod openapi;
mod outage;
mod overload;
mod process;
mod result;
mod submit;
mod support;
