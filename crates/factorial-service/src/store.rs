//! From the configuration of a role to the options of the store.
//!
//! Called by each `main` and by `factorial dev`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use factorial_core::{InvalidName, Namespace, StoreOptions, TimelineConfig, TlsOptions};
use secrecy::{ExposeSecret, SecretString};

use crate::config::{MetricsTimelineConfig, RedisConfig};

/// Why the settings of Redis cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreOptionsError {
    /// Never for a configuration that was loaded: both sides have the same rule for namespaces, and a test says so.
    #[error("{0}")]
    Name(#[from] InvalidName),
    /// A file that a setting names.
    #[error("{setting}: cannot read {}: {source}", path.display())]
    File {
        /// The setting.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// How to reach Redis, and what is expected there. Reads the files that the settings name.
///
/// # Errors
/// [`StoreOptionsError`] names the setting.
pub fn store_options(
    redis: &RedisConfig,
    timeline: &MetricsTimelineConfig,
) -> Result<StoreOptions, StoreOptionsError> {
    let namespace = Namespace::new(redis.namespace.as_str())?;
    let password = match &redis.password_file {
        Some(path) => {
            let text = read("redis_password_file", path, |path| fs::read_to_string(path))?;
            Some(SecretString::from(text.trim_end_matches(['\r', '\n'])))
        }
        None => redis.password.clone(),
    };
    let pem = |setting, path: &Option<PathBuf>| {
        let path = path.as_deref();
        path.map(|path| read(setting, path, |path| fs::read(path)))
            .transpose()
    };
    let cert = pem("redis_tls_cert", &redis.tls_cert)?;
    let key = pem("redis_tls_key", &redis.tls_key)?;
    Ok(StoreOptions {
        tls: TlsOptions {
            ca: pem("redis_tls_ca", &redis.tls_ca)?,
            identity: cert.zip(key),
        },
        partitions: redis.partitions,
        max_connections: redis.max_connections,
        timeout: redis.timeout,
        timeline: TimelineConfig {
            bucket: Duration::from_secs(timeline.bucket_size.seconds()),
            retention: timeline.retention(),
        },
        ..StoreOptions::new(
            redis.connection_url_with(password.as_ref()).expose_secret(),
            namespace,
        )
    })
}

fn read<T>(
    setting: &'static str,
    path: &Path,
    read: impl FnOnce(&Path) -> io::Result<T>,
) -> Result<T, StoreOptionsError> {
    read(path).map_err(|source| StoreOptionsError::File {
        setting,
        path: path.to_owned(),
        source,
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
