//! Where Redis is, read from a URL: one server, one that Sentinels know, or a cluster.
//!
//! The configuration checks URLs with it, and `connect.rs` opens what it says.

use std::fmt;

use deadpool_redis::redis::{
    self, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _,
    TlsCertificates, io::tcp::TcpSettings,
};

/// What kind of Redis it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One server.
    Single,
    /// The master of this name, for which Sentinels are asked.
    Sentinel(String),
    /// A cluster, of which some nodes are named.
    Cluster,
}

/// Where Redis is. `Debug` and `Display` show no secrets.
#[derive(Clone)]
pub struct Address {
    pub(crate) kind: Kind,
    /// The server; the Sentinels; nodes of the cluster. Never empty.
    pub(crate) servers: Vec<ConnectionInfo>,
}

/// A URL that is none, or not of Redis.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAddress(String);

/// What a TLS connection trusts and shows, PEM. `Debug` hides it.
#[derive(Clone, Default)]
pub struct TlsOptions {
    /// Certificates that sign those of the servers; the system's when absent.
    pub ca: Option<Vec<u8>>,
    /// Certificate and key that the servers ask for.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions")
            .field("ca", &self.ca.is_some())
            .field("identity", &self.identity.is_some())
            .finish()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Single => {}
            Kind::Sentinel(service) => write!(f, "master `{service}` of the Sentinels at ")?,
            Kind::Cluster => f.write_str("the cluster with ")?,
        }
        for (i, server) in self.servers.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{}", server.addr())?;
        }
        Ok(())
    }
}

impl Address {
    /// `redis://`, `rediss://`, `redis+unix://` as the `redis` crate reads them;
    /// `redis-cluster://[user:password@]host[:port][,host[:port]…]`;
    /// `redis-sentinel://[user:password@]host[:port][,host[:port]…]/master[/db]`; `rediss-…` for TLS.
    ///
    /// # Errors
    /// [`InvalidAddress`] says what is wrong, without repeating the URL.
    pub fn parse(url: &str) -> Result<Self, InvalidAddress> {
        let invalid = |what: &str| InvalidAddress(what.to_owned());
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| invalid("is not a URL"))?;
        let Some((tls, kind)) = scheme.split_once('-') else {
            return Self::single(url, scheme);
        };
        let (credentials, rest) = match rest.rsplit_once('@') {
            Some((credentials, rest)) => (format!("{credentials}@"), rest),
            None => (String::new(), rest),
        };
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (port, kind, db) = match kind {
            "cluster" if path.is_empty() || path == "0" => (6379, Kind::Cluster, "0"),
            "cluster" => return Err(invalid("has a path: a cluster has one database")),
            "sentinel" => {
                let (service, db) = path.split_once('/').unwrap_or((path, "0"));
                if service.is_empty() {
                    return Err(invalid(
                        "does not end with the name of the master that the Sentinels watch, as in /mymaster",
                    ));
                }
                (26379, Kind::Sentinel(service.to_owned()), db)
            }
            _ => return Err(unknown()),
        };
        if !matches!(tls, "redis" | "rediss") {
            return Err(unknown());
        }
        let servers = hosts
            .split(',')
            .map(|host| {
                let has_port = host
                    .rsplit_once(':')
                    .is_some_and(|(_, port)| !port.ends_with(']'));
                let port = if has_port {
                    String::new()
                } else {
                    format!(":{port}")
                };
                server(&format!("{tls}://{credentials}{host}{port}/{db}"))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { kind, servers })
    }

    fn single(url: &str, scheme: &str) -> Result<Self, InvalidAddress> {
        let known = [
            "redis",
            "rediss",
            "valkey",
            "valkeys",
            "unix",
            "redis+unix",
            "valkey+unix",
        ];
        if !known.contains(&scheme) {
            return Err(unknown());
        }
        Ok(Self {
            kind: Kind::Single,
            servers: vec![server(url)?],
        })
    }

    /// Has its TLS connections trust and show `tls`.
    pub(crate) fn with_tls(mut self, tls: &TlsOptions) -> Result<Self, InvalidAddress> {
        if tls.ca.is_none() && tls.identity.is_none() {
            return Ok(self);
        }
        let identity = tls.identity.clone();
        let certificates = TlsCertificates {
            root_cert: tls.ca.clone(),
            client_tls: identity.map(|(client_cert, client_key)| ClientTlsConfig {
                client_cert,
                client_key,
            }),
        };
        for server in &mut self.servers {
            if !matches!(server.addr(), ConnectionAddr::TcpTls { .. }) {
                let what = "is no TLS address, and certificates for TLS are configured";
                return Err(InvalidAddress(what.to_owned()));
            }
            let client =
                Client::build_with_tls(server.clone(), certificates.clone()).map_err(|e| {
                    InvalidAddress(format!("cannot be used with the certificates: {e}"))
                })?;
            *server = client.get_connection_info().clone();
        }
        Ok(self)
    }
}

/// Another server that is reached as this one is: the same way, user and password.
pub(crate) fn elsewhere(like: &ConnectionInfo, host: &str, port: u16) -> ConnectionInfo {
    let host = host.to_owned();
    let addr = match like.addr() {
        ConnectionAddr::TcpTls {
            insecure,
            tls_params,
            ..
        } => ConnectionAddr::TcpTls {
            host,
            port,
            insecure: *insecure,
            tls_params: tls_params.clone(),
        },
        _ => ConnectionAddr::Tcp(host, port),
    };
    like.clone().set_addr(addr)
}

/// The host of a server; that of a socket is this one.
pub(crate) fn host(info: &ConnectionInfo) -> &str {
    match info.addr() {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host,
        _ => "localhost",
    }
}

fn server(url: &str) -> Result<ConnectionInfo, InvalidAddress> {
    // A call that is sent while another one is under way must not wait for that one's answer.
    let tcp = TcpSettings::default().set_nodelay(true);
    // The crate's messages name the part that is wrong, never its text.
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let is_socket = url
        .split(":")
        .next()
        .is_some_and(|scheme| scheme.contains("unix"));
    if !is_socket && (host.is_empty() || host.starts_with(':')) {
        return Err(InvalidAddress("has no host".to_owned()));
    }
    let info = url
        .into_connection_info()
        .map_err(|e: redis::RedisError| InvalidAddress(format!("is not valid: {e}")))?;
    Ok(info.set_tcp_settings(tcp))
}

fn unknown() -> InvalidAddress {
    InvalidAddress(
        "does not begin with redis://, rediss://, redis+unix://, redis-cluster://, rediss-cluster://, redis-sentinel:// or \
         rediss-sentinel://"
            .to_owned(),
    )
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read() {
        let shown = |url: &str| Address::parse(url).unwrap().to_string();
        assert_eq!(shown("redis://localhost"), "localhost:6379");
        assert_eq!(shown("redis+unix:///tmp/r.sock"), "/tmp/r.sock");
        assert_eq!(
            shown("redis-cluster://u:p%40@a:7000,b,[::1]:7001"),
            "the cluster with a:7000, b:6379, ::1:7001"
        );
        assert_eq!(
            shown("rediss-sentinel://:secret@a,b:5000/mymaster/3"),
            "master `mymaster` of the Sentinels at a:26379, b:5000"
        );
        let sentinel = Address::parse("redis-sentinel://u:p%40@a/mymaster/3").unwrap();
        let settings = sentinel.servers[0].redis_settings();
        assert_eq!(
            (settings.username(), settings.password(), settings.db()),
            (Some("u"), Some("p@"), 3)
        );
    }

    #[test]
    fn what_is_wrong_is_said_without_secrets() {
        for (url, said) in [
            ("localhost:6379", "is not a URL"),
            ("http://u:secret@a", "does not begin with"),
            ("http-cluster://u:secret@a", "does not begin with"),
            ("redis-cluster://u:secret@a/3", "one database"),
            ("redis-sentinel://u:secret@a:1", "name of the master"),
            ("redis-cluster://u:secret@", "no host"),
            ("redis-cluster://u:secret@a:99999", "not valid"),
            ("redis://u:secret@:6379", "no host"),
        ] {
            let error = Address::parse(url).unwrap_err().to_string();
            assert!(error.contains(said), "{url}: {error}");
            assert!(!error.contains("secret"), "{url}: {error}");
        }
        let tls = TlsOptions {
            ca: Some(Vec::new()),
            identity: None,
        };
        let plain = Address::parse("redis://localhost").unwrap();
        assert!(
            plain
                .with_tls(&tls)
                .unwrap_err()
                .to_string()
                .contains("no TLS")
        );
    }
}

#[cfg(test)]
mod fuzz {
    use super::*;

    #[test]
    fn fuzz_address() {
        let seeds = [
            "redis://user:secret-word@localhost:6380/3",
            "rediss://[::1]:6379",
            "redis+unix:///run/redis.sock?db=1",
            "redis-cluster://u:secret-word@a:1,b:2,[::1]:3",
            "rediss-sentinel://a,b:26380,c/mymaster/2",
        ];
        factorial_fuzz::texts(&seeds, |text| match Address::parse(text) {
            Ok(address) => {
                assert!(!address.servers.is_empty());
                // The path of a socket is no secret, whatever it looks like.
                let is_socket = text
                    .split_once(':')
                    .is_some_and(|(s, _)| s.contains("unix"));
                assert!(is_socket || !address.to_string().contains("secret-word@"));
            }
            Err(InvalidAddress(what)) => assert!(!what.contains("secret-word"), "{what}"),
        });
    }
}
