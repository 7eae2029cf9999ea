//! Workers as operators see them.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;

use crate::Time;

/// A worker process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Worker {
    /// Unique per start.
    pub id: String,
    /// Host it runs on.
    pub host: String,
    /// Its process id.
    pub pid: u32,
    /// Version of the software.
    pub version: String,
    /// When it started.
    pub started_at: Time,
    /// Its last heartbeat.
    pub last_heartbeat_at: Time,
    /// It finishes what it has and takes nothing new.
    pub draining: bool,
    /// What it serves.
    pub agents: Vec<WorkerAgent>,
}

/// An agent in a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct WorkerAgent {
    /// The agent's name.
    pub name: String,
    /// Tasks it may run at once.
    pub slots: u32,
    /// Tasks it runs now.
    pub running: u32,
}
