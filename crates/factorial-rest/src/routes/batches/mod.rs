//! Batches, one operation each.

pub(crate) mod cancel;
pub(crate) mod events;
pub(crate) mod get;
pub(crate) mod list;
mod owned;
pub(crate) mod results;
pub(crate) mod submit;
