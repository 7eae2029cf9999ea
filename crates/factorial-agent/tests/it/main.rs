//! Agents against real HTTP servers, with a journal in memory.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod children;
mod crashes;
mod deferred;
mod faults;
mod files;
mod http_tools;
mod protocols;
mod resume;
mod runs;
mod support;
mod tools;
mod waits;
