//! The client against servers that misbehave in every way that a network knows.
#![expect(clippy::unwrap_used, reason = "tests")]

mod answers;
mod events;
mod requests;
mod support;
