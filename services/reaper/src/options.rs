//! What a reaper is told at its start.

use std::time::Duration;

use factorial_core::TaskState;
use factorial_service::config::{MaintenanceConfig, RecoveryConfig, WebhooksConfig};

/// Settings of the process.
#[derive(Clone, Debug)]
pub struct ReaperOptions {
    /// Longest sleep between two rounds of a chore.
    pub interval: Duration,
    /// Chores at work at the same time.
    pub workers: usize,
    /// Tasks that one step handles.
    pub batch: usize,
    /// How long a lease lasts without a heartbeat.
    pub lease: Duration,
    /// Crashes in a row after which the next one ends a task.
    pub max_recoveries: u32,
    /// How long completed tasks stay.
    pub completed_ttl: Duration,
    /// How long failed tasks stay.
    pub failed_ttl: Duration,
    /// How long cancelled tasks stay.
    pub cancelled_ttl: Duration,
    /// How events are delivered to webhooks.
    pub webhooks: WebhookOptions,
}

/// How events are delivered to webhooks.
#[derive(Clone, Debug)]
pub struct WebhookOptions {
    /// Receivers may have private and other special addresses.
    pub allow_private_networks: bool,
    /// Deliveries at once.
    pub max_in_flight: usize,
    /// Of these, to one host.
    pub max_in_flight_per_host: usize,
}

impl ReaperOptions {
    /// The terminal states with their TTL.
    pub(crate) fn ttls(&self) -> [(TaskState, Duration); 3] {
        [
            (TaskState::Completed, self.completed_ttl),
            (TaskState::Failed, self.failed_ttl),
            (TaskState::Cancelled, self.cancelled_ttl),
        ]
    }
}

/// Options of a configuration.
#[must_use]
pub fn reaper_options(
    maintenance: &MaintenanceConfig,
    recovery: &RecoveryConfig,
    webhooks: &WebhooksConfig,
) -> ReaperOptions {
    let size = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    ReaperOptions {
        interval: maintenance.interval,
        workers: size(maintenance.workers),
        batch: size(maintenance.max_cleanup_batch),
        lease: recovery.lease(),
        max_recoveries: recovery.max_recoveries,
        completed_ttl: maintenance.task_ttl.completed_ttl,
        failed_ttl: maintenance.task_ttl.failed_ttl,
        cancelled_ttl: maintenance.task_ttl.cancelled_ttl,
        webhooks: WebhookOptions {
            allow_private_networks: webhooks.allow_private_networks.unwrap_or(false),
            max_in_flight: size(webhooks.max_in_flight),
            max_in_flight_per_host: size(webhooks.max_in_flight_per_host),
        },
    }
}
