//! Calls that are answered from outside.

pub(crate) mod approve;
pub(crate) mod asked;
pub(crate) mod deny;
pub(crate) mod error;
mod inbox;
pub(crate) mod list;
pub(crate) mod progress;
pub(crate) mod result;

pub(crate) use inbox::inbox;
