//! The dashboard over real HTTP and WebSockets, on a real Redis.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod api;
mod bulk;
mod follow;
mod guard;
mod live;
mod login;
mod page;
mod support;
