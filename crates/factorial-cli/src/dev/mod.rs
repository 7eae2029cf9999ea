//! `factorial dev`: every role in this process, with a Redis and a model from wherever there is one.
//!
//! Started by the command line. Invariant: what was started is stopped in the reverse order of need, also when a later
//! part does not start: worker, reaper, gateway, dashboard, model, Redis.

mod agents;
mod args;
mod banner;
mod error;
mod given;
mod model;
mod ollama;
mod place;
mod ports;
mod redis;
mod roles;
mod session;
mod stages;

pub(crate) use args::DevArgs;
pub(crate) use error::DevError;
pub(crate) use session::run;
