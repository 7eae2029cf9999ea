//! Where Redis is, and which part of it is ours.

use std::{path::PathBuf, time::Duration};

use secrecy::{ExposeSecret, SecretString};

use super::redis_url::{RedisUrl, credentials};
use crate::config::group::config_group;
use crate::config::reader::Reader;
use crate::config::value::Value;

config_group! {
    /// The connection to Redis or Valkey.
    pub struct RedisConfig, "Redis", in "" {
        /// Where Redis is: `redis://host:port`, `redis-cluster://host:port,host:port`,
        /// `redis-sentinel://host:port,host:port/master`, with `rediss` for TLS, or `redis+unix://`. Stands for host, port,
        /// database and TLS; user and password are added to it when it has none.
        url: Option<RedisUrl>, name "redis_url", env "REDIS_URL";
        /// Host of Redis.
        host: String = "localhost", name "redis_host", env "REDIS_HOST";
        /// Port of Redis.
        port: u16 = "6379", name "redis_port", env "REDIS_PORT", range 1.0 to 65535.0;
        /// Number of the database.
        db: u32 = "0", name "redis_db", env "REDIS_DB", range 0.0 to 65535.0;
        /// User name.
        username: Option<String>, name "redis_username", env "REDIS_USERNAME";
        /// Password.
        password: Option<SecretString>, name "redis_password", env "REDIS_PASSWORD";
        /// File with the password, instead of the password itself; a line break at its end does not count.
        password_file: Option<PathBuf>, name "redis_password_file", env "REDIS_PASSWORD_FILE";
        /// Whether to connect by TLS.
        tls: bool = "false", name "redis_tls", env "REDIS_TLS";
        /// File with the certificates (PEM) that sign those of the servers. Default: those that the system trusts.
        tls_ca: Option<PathBuf>, name "redis_tls_ca", env "REDIS_TLS_CA";
        /// File with the certificate (PEM) that is shown to the servers, if they ask for one.
        tls_cert: Option<PathBuf>, name "redis_tls_cert", env "REDIS_TLS_CERT";
        /// File with the key (PEM) of that certificate.
        tls_key: Option<PathBuf>, name "redis_tls_key", env "REDIS_TLS_KEY";
        /// Most connections that a process opens to a server.
        max_connections: usize = "50", name "redis_max_connections", env "REDIS_MAX_CONNECTIONS", range 1.0 to 10000.0;
        /// Seconds after which an unanswered call is given up. The gateway's is short, so that its clients get an answer.
        timeout: Duration = "5", name "redis_timeout_seconds", env "REDIS_TIMEOUT_SECONDS", range 0.05 to 60.0;
        /// First part of every key; deployments with different namespaces share a server without meeting.
        namespace: NamespaceName = "factorial";
        /// Partitions of a new namespace; fixed once it exists. Default: 1, on a cluster 12.
        partitions: Option<u16>, range 1.0 to 4096.0;
    }
    check check_address;
}

impl RedisConfig {
    /// The URL to connect to, with user and password.
    #[must_use]
    pub fn connection_url(&self) -> SecretString {
        self.connection_url_with(self.password.as_ref())
    }

    /// The same with a password from elsewhere.
    pub(crate) fn connection_url_with(&self, password: Option<&SecretString>) -> SecretString {
        let password = password.map(ExposeSecret::expose_secret);
        if let Some(url) = &self.url {
            return url.with_credentials(self.username.as_deref(), password);
        }
        let scheme = if self.tls { "rediss" } else { "redis" };
        let credentials = credentials(self.username.as_deref(), password)
            .map_or_else(String::new, |credentials| format!("{credentials}@"));
        let host = if self.host.contains(':') && !self.host.starts_with('[') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        format!("{scheme}://{credentials}{host}:{}/{}", self.port, self.db).into()
    }
}

/// First part of every key: 1 to 32 of a-z, 0-9, `_` and `-`, starting with a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceName(String);

impl NamespaceName {
    /// The namespace as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for NamespaceName {
    const KIND: &'static str = "NAME";

    fn parse(text: &str) -> Result<Self, String> {
        let allowed =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
        let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase());
        if starts_well && text.len() <= 32 && text.chars().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err("is not 1 to 32 of a-z 0-9 _ -, starting with a letter".to_owned())
        }
    }
}

/// A part that was given in a layer above the URL's would be ignored silently, and the wrong server be used.
fn check_address(config: &RedisConfig, reader: &mut Reader<'_>) {
    check_files(config, reader);
    let Some(url) = &config.url else {
        if config.host.contains(['/', '@', '?', '#', ' ']) {
            reader.reject(
                "redis_host",
                "is not a host name; a URL belongs in redis_url",
            );
        }
        return;
    };
    let of_url = reader.rank("redis_url");
    for part in ["redis_host", "redis_port", "redis_db", "redis_tls"] {
        if reader.rank(part) < of_url {
            reader.reject(
                part,
                "redis_url is set as well and says the same; set only one of them",
            );
        }
    }
    for (part, given) in [
        ("redis_username", config.username.is_some()),
        ("redis_password", config.password.is_some()),
        ("redis_password_file", config.password_file.is_some()),
    ] {
        if given && !url.takes_credentials() {
            reader.reject(
                part,
                "redis_url has user and password, or cannot have them; set them in one place",
            );
        }
    }
}

/// Files that would not be used, or not be enough.
fn check_files(config: &RedisConfig, reader: &mut Reader<'_>) {
    if config.password.is_some() && config.password_file.is_some() {
        reader.reject(
            "redis_password_file",
            "redis_password is set as well; set only one of them",
        );
    }
    let tls = config.url.as_ref().map_or(config.tls, RedisUrl::is_tls);
    for (part, given) in [
        ("redis_tls_ca", config.tls_ca.is_some()),
        ("redis_tls_cert", config.tls_cert.is_some()),
        ("redis_tls_key", config.tls_key.is_some()),
    ] {
        if given && !tls {
            reader.reject(
                part,
                "is for TLS, which the address does not have: write rediss:// in redis_url, or set redis_tls",
            );
        }
    }
    for (one, other, alone) in [
        (
            "redis_tls_cert",
            "redis_tls_key",
            config.tls_cert.is_some() && config.tls_key.is_none(),
        ),
        (
            "redis_tls_key",
            "redis_tls_cert",
            config.tls_key.is_some() && config.tls_cert.is_none(),
        ),
    ] {
        if alone {
            reader.reject(one, format!("needs {other} as well"));
        }
    }
}
