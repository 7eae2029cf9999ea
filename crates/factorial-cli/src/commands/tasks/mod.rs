//! `factorial tasks`, one file for each thing it does.

mod cancel;
mod events;
mod list;
mod result;
mod show;
mod steer;
mod tool_calls;
mod tree;

pub(crate) use cancel::{CancelArgs, cancel};
pub(crate) use events::{EventsArgs, events};
pub(crate) use list::{ListArgs, list};
pub(crate) use result::{ResultArgs, result, show_result};
pub(crate) use show::{TaskArgs, get, messages, retry};
pub(crate) use steer::{SteerArgs, steer};
pub(crate) use tool_calls::{ToolCallsArgs, tool_calls};
pub(crate) use tree::{TreeArgs, tree};
