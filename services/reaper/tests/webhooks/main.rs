//! Webhooks as their receivers see them: a reaper in this process, a real Redis, and receivers that behave in all ways.
#![expect(clippy::unwrap_used, reason = "tests")]

mod answers;
mod at_once;
mod messages;
mod reach;
mod receiver;
mod world;
