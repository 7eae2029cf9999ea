//! REST and event streams for clients.
//!
//! `run` serves a listener in this process; `factorial-gateway` and `factorial dev` are thin shells around it.
//! Invariant: all state is in Redis; any number of gateways serve one namespace.

mod program;
mod run;

pub use factorial_rest::{Access, AccessError, Tls, TlsError, openapi_document};
pub use program::main;
pub use run::run;
