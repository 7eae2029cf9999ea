//! The dashboard: what operators see and do, in a browser.
//!
//! Started by `factorial-dashboard`, by `factorial dev` and by tests through [`run`]. It serves the page, the operations
//! of `factorial-rest` to it, what only the page asks for, and all of it live over one WebSocket. Invariant: all state is
//! in Redis, so any number of dashboards serve one namespace.

mod api;
mod app;
mod assets;
mod health;
mod layers;
mod live;
mod login;
mod openapi;
mod options;
mod overview;
mod page;
mod program;
mod router;
mod service;

pub use factorial_rest::{Access, Tls};
pub use openapi::document as openapi_document;
pub use options::DashboardOptions;
pub use program::main;
pub use service::run;
