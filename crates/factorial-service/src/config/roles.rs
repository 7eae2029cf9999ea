//! Which groups each binary has.

use super::group::config_role;
use super::groups::{
    AdminConfig, ClientConfig, GatewayConfig, LogConfig, MaintenanceConfig, MetricsTimelineConfig,
    ObservabilityConfig, ProviderKeys, RecoveryConfig, RedisConfig, WebhooksConfig, WorkerConfig,
};

config_role! {
    /// Settings of `factorial-gateway`.
    pub struct GatewayRole, "gateway" {
        /// The connection to Redis.
        redis: RedisConfig,
        /// The public port.
        gateway: GatewayConfig,
        /// The metrics timeline.
        metrics: MetricsTimelineConfig,
        /// The admin port.
        admin: AdminConfig,
        /// The log.
        log: LogConfig,
    }
    defaults { admin_port: "8001", redis_timeout_seconds: "0.8", }
}

config_role! {
    /// Settings of `factorial-worker`.
    pub struct WorkerRole, "worker" {
        /// The connection to Redis.
        redis: RedisConfig,
        /// Tasks in flight.
        worker: WorkerConfig,
        /// Leases and recovery.
        recovery: RecoveryConfig,
        /// The metrics timeline.
        metrics: MetricsTimelineConfig,
        /// Keys of the model providers.
        keys: ProviderKeys,
        /// The admin port.
        admin: AdminConfig,
        /// The log.
        log: LogConfig,
    }
    defaults { admin_port: "8002", }
}

config_role! {
    /// Settings of `factorial-reaper`.
    pub struct ReaperRole, "reaper" {
        /// The connection to Redis.
        redis: RedisConfig,
        /// Maintenance.
        maintenance: MaintenanceConfig,
        /// Delivery to webhooks.
        webhooks: WebhooksConfig,
        /// Leases and recovery.
        recovery: RecoveryConfig,
        /// The metrics timeline.
        metrics: MetricsTimelineConfig,
        /// The admin port.
        admin: AdminConfig,
        /// The log.
        log: LogConfig,
    }
    defaults { admin_port: "8003", }
}

config_role! {
    /// Settings of `factorial-dashboard`.
    pub struct DashboardRole, "dashboard" {
        /// The connection to Redis.
        redis: RedisConfig,
        /// The dashboard.
        observability: ObservabilityConfig,
        /// The metrics timeline.
        metrics: MetricsTimelineConfig,
        /// The admin port.
        admin: AdminConfig,
        /// The log.
        log: LogConfig,
    }
    defaults { admin_port: "8004", redis_timeout_seconds: "0.8", }
}

config_role! {
    /// Settings of `factorial dev`: all of the services' in one process.
    pub struct DevRole, "dev" {
        /// The connection to Redis.
        redis: RedisConfig,
        /// The public port.
        gateway: GatewayConfig,
        /// Tasks in flight.
        worker: WorkerConfig,
        /// Leases and recovery.
        recovery: RecoveryConfig,
        /// Maintenance.
        maintenance: MaintenanceConfig,
        /// Delivery to webhooks.
        webhooks: WebhooksConfig,
        /// The metrics timeline.
        metrics: MetricsTimelineConfig,
        /// The dashboard.
        observability: ObservabilityConfig,
        /// Keys of the model providers.
        keys: ProviderKeys,
        /// The admin port.
        admin: AdminConfig,
        /// The log.
        log: LogConfig,
    }
    defaults { redis_timeout_seconds: "0.8", }
}

config_role! {
    /// Settings of the `factorial` commands that talk to a gateway.
    pub struct ClientRole, "client" {
        /// Where the gateway is.
        client: ClientConfig,
    }
    defaults { }
}
