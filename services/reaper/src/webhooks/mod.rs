//! Delivers events to webhooks: who may be reached, how much at once, what is sent, and what comes of it.
//!
//! Called by the chore of the same name. Invariant: a delivery is handed out under a lease that is longer than a try, and
//! stays in the outbox until its end is noted, so none is lost whenever a reaper dies.

mod address;
mod backoff;
mod courier;
mod hosts;
mod message;
mod receivers;
mod resolve;
mod send;

pub(crate) use courier::{Courier, LEASE};
pub use send::SenderError;
