//! Private Redis servers, for `factorial dev` and for the tests.
//!
//! A [`LocalRedis`] is either a `redis-server` (or `valkey-server`) child process
//! with an append-only file, or an engine that runs inside this process and keeps
//! a snapshot. Both listen on a Unix socket or on a loopback port and speak RESP,
//! so a client cannot tell which one it talks to. Every call here blocks; from
//! async code, use a blocking task. Unix only.

mod address;
mod config;
mod embedded;
mod error;
mod local;
mod options;
mod place;
mod probe;
mod server;

pub use error::{ControlError, StartError};
pub use local::LocalRedis;
pub use options::{Engine, Kind, Listen, Options};
