//! The worker: claims tasks, runs their turns, renews their leases, commits.
//!
//! Started by `factorial-worker`, by `factorial dev` and by tests through [`run`]. It holds no durable state: what a
//! run has done is in Redis with the commit that says so.

mod callbacks;
mod convert;
mod directory;
mod execute;
mod fetch;
mod heartbeat;
mod held;
mod identity;
mod journal;
mod meters;
pub mod metrics;
mod options;
mod program;
mod runner;
mod service;
mod settings;
mod shown;
mod trace;

pub use identity::worker_id;
pub use options::{RunnerOptions, WorkerOptions};
pub use program::main;
pub use runner::Runner;
pub use service::{WorkerError, run};
pub use settings::{SetupError, functions, providers, runners, store_options, worker_options};
