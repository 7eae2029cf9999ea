//! Everything live, over one WebSocket for each page.
//!
//! A client subscribes to topics. What a topic says is found out once for all who listen to the same (`topics.rs`,
//! `task.rs`), and handed to each as fast as it reads (`socket.rs`). Invariant: no client waits in memory with more than one
//! frame, and what nobody listens to is not looked at.

mod asked;
mod frame;
mod pace;
mod socket;
mod task;
mod topics;

pub(crate) use socket::accept;
pub(crate) use topics::Topics;
