//! The operations, one file each: `<resource>/<verb>.rs`. A handler extracts, calls, converts.

pub(crate) mod agents;
pub(crate) mod fallback;
pub(crate) mod health;
mod page;
pub(crate) mod tasks;
pub(crate) mod workers;

pub(crate) use page::cut;
