//! Health of the service.

pub(crate) mod get;
