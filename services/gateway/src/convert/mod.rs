//! From what is stored to what clients see; the only place where the two meet.

mod agent;
mod event;
mod message;
mod task;

pub(crate) use agent::{agent, worker};
pub(crate) use event::event;
pub(crate) use message::{Place, messages};
pub(crate) use task::{accepted, failure, limits_of, status, task, usage};
