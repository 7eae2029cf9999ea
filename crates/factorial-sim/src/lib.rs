//! A simulated OpenAI-compatible model server: deterministic replies, and faults on request.
//!
//! `factorial dev`, the tests and the load generator talk to it over real HTTP, so that everything which
//! happens on the wire to a model provider can happen here too.

mod behaviour;
mod config;
mod http;
mod program;
mod reply;
mod sample;
mod seed;
mod server;
mod state;
mod wire;

pub use behaviour::{Behaviour, BehaviourError, Fault, ReplyKind, RetryAfter};
pub use config::{Args, SimConfig};
pub use program::main;
pub use server::{Sim, listen, serve};
pub use state::{RequestRecord, Stats};
