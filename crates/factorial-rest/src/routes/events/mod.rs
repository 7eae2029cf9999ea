//! The events of an owner.

pub(crate) mod list;
