//! What the reaper does, and how long finished tasks stay.

use std::time::Duration;

use crate::config::group::config_group;

config_group! {
    /// Maintenance by the reaper.
    pub struct MaintenanceConfig, "Maintenance", in "maintenance" {
        /// Longest sleep between two rounds, in seconds; due work is done when it is due.
        interval: Duration = "10", name "maintenance_interval", range 0.1 to 3600.0;
        /// Chores that one reaper process runs at once.
        workers: u32 = "1", name "maintenance_workers", range 1.0 to 64.0;
        /// Most tasks that one step of a chore handles.
        max_cleanup_batch: u32 = "100", range 1.0 to 10000.0;
    }
    groups {
        /// How long finished tasks stay.
        task_ttl: TaskTtl;
    }
}

config_group! {
    /// How long a finished task can be read, by the way it ended.
    pub struct TaskTtl, "Task TTL", in "maintenance.task_ttl" {
        /// Seconds that a completed task stays.
        completed_ttl: Duration = "3600", range 1.0 to 31536000.0;
        /// Seconds that a failed task stays.
        failed_ttl: Duration = "86400", range 1.0 to 31536000.0;
        /// Seconds that a cancelled task stays.
        cancelled_ttl: Duration = "1800", range 1.0 to 31536000.0;
    }
}
