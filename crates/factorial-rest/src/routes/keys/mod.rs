//! Keys, and what was done with them.

pub(crate) mod audit;
pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod revoke;
