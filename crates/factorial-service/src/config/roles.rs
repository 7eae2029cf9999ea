//! Which groups each binary has.

use super::group::{RoleConfig, config_role};
use super::groups::{
    AdminConfig, AuthConfig, ClientConfig, GatewayConfig, LogConfig, MaintenanceConfig,
    MetricsTimelineConfig, ObservabilityConfig, ProviderKeys, RecoveryConfig, RedisConfig,
    TelemetryConfig, TlsConfig, WebhooksConfig, WorkerConfig,
};

/// Settings of a service, which has a process of its own.
pub trait ServiceRole: RoleConfig {
    /// The log.
    fn log(&self) -> &LogConfig;
    /// The admin port.
    fn admin(&self) -> &AdminConfig;
    /// Traces, if it makes any.
    fn telemetry(&self) -> Option<&TelemetryConfig> {
        None
    }
}

macro_rules! service_role {
    ($($Role:ident: log, admin $(, $telemetry:ident)?;)+) => {
        $(impl ServiceRole for $Role {
            fn log(&self) -> &LogConfig {
                &self.log
            }

            fn admin(&self) -> &AdminConfig {
                &self.admin
            }

            $(fn $telemetry(&self) -> Option<&TelemetryConfig> {
                Some(&self.$telemetry)
            })?
        })+
    };
}

service_role! {
    GatewayRole: log, admin, telemetry;
    WorkerRole: log, admin, telemetry;
    ReaperRole: log, admin;
    DashboardRole: log, admin, telemetry;
}

config_role! {
    /// Settings of `factorial-gateway`.
    pub struct GatewayRole, "gateway" {
        /// The connection to Redis.
        redis: RedisConfig,
        /// The public port.
        gateway: GatewayConfig,
        /// Who may call.
        auth: AuthConfig,
        /// TLS of the public port.
        tls: TlsConfig,
        /// The metrics timeline.
        metrics: MetricsTimelineConfig,
        /// The admin port.
        admin: AdminConfig,
        /// The log.
        log: LogConfig,
        /// Traces.
        telemetry: TelemetryConfig,
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
        /// Traces.
        telemetry: TelemetryConfig,
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
        /// Who may call.
        auth: AuthConfig,
        /// TLS of its port.
        tls: TlsConfig,
        /// The metrics timeline.
        metrics: MetricsTimelineConfig,
        /// The admin port.
        admin: AdminConfig,
        /// The log.
        log: LogConfig,
        /// Traces.
        telemetry: TelemetryConfig,
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
        /// Who may call.
        auth: AuthConfig,
        /// TLS of the public port.
        tls: TlsConfig,
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
        /// Traces.
        telemetry: TelemetryConfig,
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
