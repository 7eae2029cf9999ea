//! From the configuration of a role to the options of the store.
//!
//! Called by each `main` and by `factorial dev`.

use factorial_core::{Namespace, StoreOptions, TimelineConfig};
use secrecy::ExposeSecret;

use crate::config::{MetricsTimelineConfig, RedisConfig};

/// How to reach Redis, and what is expected there.
///
/// # Errors
/// Never for a configuration that was loaded: both sides have the same rule for namespaces, and a test says so.
pub fn store_options(
    redis: &RedisConfig,
    timeline: &MetricsTimelineConfig,
) -> Result<StoreOptions, factorial_core::InvalidName> {
    let namespace = Namespace::new(redis.namespace.as_str())?;
    Ok(StoreOptions {
        partitions: redis.partitions,
        max_connections: redis.max_connections,
        timeout: redis.timeout,
        timeline: TimelineConfig {
            bucket: std::time::Duration::from_secs(timeline.bucket_size.seconds()),
            retention: timeline.retention(),
        },
        ..StoreOptions::new(redis.connection_url().expose_secret(), namespace)
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::config::{GatewayRole, defaults};

    #[test]
    fn the_default_namespace_is_a_namespace() {
        let role: GatewayRole = defaults().unwrap();
        let options = store_options(&role.redis, &role.metrics).unwrap();
        assert_eq!(options.namespace.as_str(), "factorial");
        assert_eq!(options.timeline.retention.as_secs(), 7200);
    }
}
