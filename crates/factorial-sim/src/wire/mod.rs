//! The OpenAI wire format, as far as chat completions need it.

mod completion;
mod delta;
mod error;
mod frames;
mod request;
mod text;
mod validate;

pub(crate) use completion::{CREATED, Finish, Reply, ToolCall, Usage, completion_json, to_json};
pub(crate) use error::WireError;
pub(crate) use frames::{FrameKind, Frames};
pub(crate) use request::{ChatRequest, FormatKind, Message, Role, Tool, ToolChoice, ToolMode};
pub(crate) use validate::validate;
