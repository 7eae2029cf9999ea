//! REST and event streams for clients.
//!
//! `run` serves a listener in this process; `factorial-gateway` and `factorial dev` are thin shells around it.
//! Invariant: all state is in Redis; any number of gateways serve one namespace.

mod agents;
mod answers;
mod app;
mod batch;
mod clock;
mod convert;
mod extract;
mod family;
mod layers;
mod listen;
mod metrics;
mod openapi;
mod ownership;
mod refusal;
mod router;
mod routes;
mod run;
mod stream;
mod submission;

pub use openapi::document as openapi_document;
pub use run::run;
