//! The reaper: what has to happen although nobody asks for it.
//!
//! Started by `factorial-reaper`, by `factorial dev` and by tests through [`run`]. Each chore is a file in `chores/`;
//! every step of one is an atomic script, so any number of reapers may run at once, and none is needed for a turn that
//! is under way.

mod chore;
mod chores;
pub mod metrics;
mod options;
mod program;
mod service;
mod webhooks;

pub use options::{ReaperOptions, WebhookOptions, reaper_options};
pub use program::main;
pub use service::run;
pub use webhooks::SenderError;
