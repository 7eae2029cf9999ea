//! REST and event streams for clients.
//!
//! `run` serves a listener in this process; `factorial-gateway` and `factorial dev` are thin shells around it.
//! Invariant: all state is in Redis; any number of gateways serve one namespace.

mod run;

pub use factorial_rest::openapi_document;
pub use run::run;
