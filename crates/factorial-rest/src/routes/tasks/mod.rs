//! Tasks.

pub(crate) mod bulk;
pub(crate) mod cancel;
pub(crate) mod events;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod messages;
pub(crate) mod result;
pub(crate) mod retry;
pub(crate) mod status;
pub(crate) mod steer;
pub(crate) mod submit;
pub(crate) mod tree;
