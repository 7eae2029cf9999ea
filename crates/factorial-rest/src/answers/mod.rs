//! Answers to what tasks await: results, errors, approvals, reports of progress.
//!
//! Shared by the operations of tool calls and of callbacks, which differ in how they are asked and by whom.

mod arguments;
mod bounds;
mod give;
mod progress;
mod tokens;

pub(crate) use arguments::check_arguments;
pub(crate) use bounds::{Bounds, LONGEST_MESSAGE, LONGEST_REASON, name_limit};
pub(crate) use give::{Given, give};
pub(crate) use progress::report;
pub(crate) use tokens::{Tokens, owner_secret};
