//! Configuration of the binaries: groups of settings, composed by role.
//!
//! A value comes from its flag, else its environment variable, else `factorial.yaml`, else the default.
//! Invariant: nothing outside this module reads the environment, and all mistakes are reported at once.

mod args;
mod docs;
mod environment;
mod error;
mod file;
mod group;
mod groups;
mod layers;
mod load;
mod reader;
mod roles;
mod slot;
mod unknown;
mod value;

pub use args::{ConfigArgs, from_command_line};
pub use docs::reference;
pub use environment::Environment;
pub use error::{ConfigErrors, ConfigProblem, Origin};
pub use group::{ConfigGroup, Field, GroupSpec, RoleConfig};
pub use groups::{
    AdminConfig, AuthConfig, BucketSize, ClientConfig, CorsOrigin, GatewayConfig, HostName,
    LogConfig, LogFilter, LogFormat, MaintenanceConfig, MetricsTimelineConfig, NamespaceName,
    Network, ObservabilityConfig, ProviderKeys, RecoveryConfig, RedisConfig, RedisUrl,
    RunnerConfig, TaskTtl, TelemetryConfig, TlsConfig, WebhooksConfig, WorkerConfig,
};
pub use load::{defaults, load};
pub use roles::{
    ClientRole, DashboardRole, DevRole, GatewayRole, ReaperRole, ServiceRole, WorkerRole,
};
