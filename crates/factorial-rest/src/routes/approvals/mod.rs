//! Approvals.

pub(crate) mod list;
