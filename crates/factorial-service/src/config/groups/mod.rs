//! The groups of settings, one file each.

mod admin;
mod auth;
mod client;
mod gateway;
mod keys;
mod log;
mod maintenance;
mod metrics;
mod observability;
mod redis;
mod redis_url;
mod telemetry;
mod tls;
mod webhooks;
mod worker;

pub use admin::AdminConfig;
pub use auth::{AuthConfig, HostName, Network};
pub use client::ClientConfig;
pub use gateway::GatewayConfig;
pub use keys::ProviderKeys;
pub use log::{LogConfig, LogFilter, LogFormat};
pub use maintenance::{MaintenanceConfig, TaskTtl};
pub use metrics::{BucketSize, MetricsTimelineConfig};
pub use observability::{CorsOrigin, ObservabilityConfig};
pub use redis::{NamespaceName, RedisConfig};
pub use redis_url::RedisUrl;
pub use telemetry::TelemetryConfig;
pub use tls::TlsConfig;
pub use webhooks::WebhooksConfig;
pub use worker::{RecoveryConfig, RunnerConfig, WorkerConfig};
