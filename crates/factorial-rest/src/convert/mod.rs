//! From what is stored to what clients see; the only place where the two meet.

mod agent;
mod batch;
mod event;
mod key;
mod message;
mod task;
mod tool_call;
mod tree;
mod webhook;

pub(crate) use agent::{agent, worker};
pub(crate) use batch::{batch, batch_event};
pub(crate) use event::event;
pub(crate) use key::{audit_entry, key, role};
pub(crate) use message::{Place, messages};
pub(crate) use task::{accepted, descendants, failure, limits_of, status, task, usage};
pub(crate) use tool_call::{asked_call, awaited_call, call_of, reply_of, wait_outcome};
pub(crate) use tree::{Branch, tree};
pub(crate) use webhook::{delivery, webhook};
