//! The other processes: the same executable, told on standard input what to be.
//!
//! Started by `process.rs`. Invariant: a role ends when its standard input does, and what it is told (a URL may hold a password) is never an argument, so none outlives the load generator.

mod agents;
mod serve;
mod spec;
mod stamp;

pub(crate) use agents::{DEFERRING_AGENT, MODEL_AGENT, NOOP_AGENT, STAMP_AGENT, TOOL};
pub use serve::run_role;
pub(crate) use spec::{Ready, Spec};
