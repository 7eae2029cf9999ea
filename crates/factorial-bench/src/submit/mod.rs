//! Enqueues tasks, many calls at once, and times every call.

mod callers;
mod gateway;
mod store;
mod task;

pub(crate) use callers::{Submitted, at_the_same_time};
pub(crate) use gateway::through_gateway;
pub(crate) use store::{enqueue, in_bulk, through_store};
pub(crate) use task::{Load, OWNER, new_task};
