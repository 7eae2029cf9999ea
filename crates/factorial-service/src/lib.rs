//! What the Factorial binaries share: configuration, telemetry, admin port, shutdown, errors.
//!
//! Depended on by the services and the command line. Invariant: nothing here speaks Redis by itself or knows an agent.

pub mod config;
pub mod metrics;
pub mod telemetry;
pub mod trace;

mod admin;
mod callback;
mod error_kind;
mod health;
mod healthcheck;
mod key_token;
mod problem;
mod program;
mod redis_watch;
mod shutdown;
mod store;
mod webhook;

pub use admin::{router as admin_router, run_admin};
pub use callback::CallbackTokens;
pub use error_kind::ErrorKind;
pub use health::{Age, Component, Health, Progress};
pub use healthcheck::{HealthcheckError, healthcheck};
pub use key_token::{KeyToken, is_same_secret};
pub use problem::{ApiError, REQUEST_ID_HEADER, add_request_id};
pub use program::{Process, Program, listen};
pub use redis_watch::watch_redis;
pub use shutdown::Shutdown;
pub use store::{StoreOptionsError, store_options};
pub use webhook::WebhookSecret;
