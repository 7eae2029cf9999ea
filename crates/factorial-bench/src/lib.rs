//! The load generator behind `factorial bench`: scenarios, the ceilings that they are compared with, and exact-delivery
//! checks.
//!
//! The command line composes it. Invariant: no figure comes out of a run that lost or repeated a task, and none is
//! assumed: ceilings are measured on the same server in the same run.

mod aim;
mod catalogue;
mod ceiling;
mod delivery;
mod error;
mod options;
mod process;
mod progress;
mod remote;
mod report;
mod rest;
mod role;
mod run;
mod sample;
mod scenario;
mod server;
mod shards;
mod stage;
mod stats;
mod submit;

pub use aim::{Aim, Reached};
pub use catalogue::Scenario;
pub use error::{BenchError, RoleError};
pub use options::{Deployment, Options, Surroundings, Target};
pub use progress::{Progress, Silent};
pub use report::{Figure, Report};
pub use role::run_role;
pub use run::run;
