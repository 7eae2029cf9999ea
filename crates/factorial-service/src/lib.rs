//! What the Factorial binaries share: configuration, telemetry, admin port, shutdown, errors.
//!
//! Depended on by the services and the command line. Invariant: nothing here speaks Redis or knows an agent.

pub mod config;
pub mod metrics;
pub mod telemetry;

mod admin;
mod callback;
mod error_kind;
mod health;
mod healthcheck;
mod hs256;
mod problem;
mod shutdown;
mod store;
mod webhook;

pub use admin::{router as admin_router, run_admin};
pub use callback::CallbackTokens;
pub use error_kind::ErrorKind;
pub use health::{Age, Component, Health, Progress};
pub use healthcheck::{HealthcheckError, healthcheck};
pub use problem::{ApiError, REQUEST_ID_HEADER, add_request_id};
pub use shutdown::Shutdown;
pub use store::store_options;
pub use webhook::WebhookSecret;
