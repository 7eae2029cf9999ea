//! Workers.

pub(crate) mod list;
