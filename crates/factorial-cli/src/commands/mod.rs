//! The commands that ask a gateway one thing and print the answer.

mod agents;
mod tasks;
mod workers;

pub(crate) use agents::{AgentsArgs, agents};
pub(crate) use tasks::{
    CancelArgs, EventsArgs, ListArgs, ResultArgs, SteerArgs, TaskArgs, cancel, events, get, list,
    messages, result, retry, show_result, steer,
};
pub(crate) use workers::workers;
