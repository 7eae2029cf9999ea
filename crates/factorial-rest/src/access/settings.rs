//! What a process was told of who may call it.
//!
//! Invariant: without authentication it listens on loopback addresses alone, unless it was told otherwise in so many words.

use std::net::{IpAddr, SocketAddr};

use factorial_core::KeyLimits;
use factorial_service::config::{AuthConfig, Network};
use secrecy::SecretString;

use super::issuer::IssuerSettings;

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Anybody could do anything.
    #[error(
        "authentication is off and {address} is not a loopback address, so whoever reaches it could do everything; \
         leave auth.enabled at true, or listen on 127.0.0.1, or say --insecure-no-auth if that is what you want"
    )]
    Open {
        /// Where it was to listen.
        address: SocketAddr,
    },
}

/// What a process was told.
#[derive(Clone, Debug)]
pub struct Access {
    /// A key is needed.
    pub(crate) enabled: bool,
    /// Names under which it is asked for; `None`: any.
    pub(crate) hosts: Option<Vec<String>>,
    pub(crate) admin_key: Option<SecretString>,
    pub(crate) limits: KeyLimits,
    pub(crate) trusted: Vec<Network>,
    pub(crate) issuer: Option<IssuerSettings>,
    pub(crate) audit_entries: u64,
    /// A session stands for a key.
    pub(crate) sessions: bool,
}

impl Access {
    /// As the settings say, for a port at this address.
    ///
    /// # Errors
    /// When it would be open to anybody without having been asked to be.
    pub fn new(config: &AuthConfig, address: SocketAddr) -> Result<Self, AccessError> {
        let enabled = config.enabled && !config.insecure_no_auth;
        let loopback = is_loopback(address.ip());
        if !enabled && !loopback && !config.insecure_no_auth {
            return Err(AccessError::Open { address });
        }
        if !enabled && !loopback {
            tracing::warn!(%address, "no authentication: whoever reaches this address may do everything");
        }
        let named = config.allowed_hosts.iter();
        let named: Vec<String> = named.map(|host| host.as_str().to_owned()).collect();
        // A name that leads here by a trick of its domain server would make browsers call as their users.
        let guarded = !enabled && (loopback || !named.is_empty());
        Ok(Self {
            enabled,
            hosts: guarded.then_some(named),
            admin_key: config.admin_key.clone(),
            limits: KeyLimits {
                requests_per_second: config.key_requests_per_second,
                burst: config.key_burst,
                max_body_bytes: None,
            },
            trusted: config.trusted_proxies.clone(),
            issuer: IssuerSettings::new(config),
            audit_entries: config.audit_entries,
            sessions: false,
        })
    }

    /// Without authentication, for a port at a loopback address.
    #[must_use]
    pub fn open() -> Self {
        Self {
            enabled: false,
            hosts: Some(Vec::new()),
            admin_key: None,
            limits: KeyLimits::default(),
            trusted: Vec::new(),
            issuer: None,
            audit_entries: 10_000,
            sessions: false,
        }
    }

    /// The same, for a service whose users log in: a session stands for a key.
    #[must_use]
    pub fn with_sessions(mut self) -> Self {
        self.sessions = true;
        self
    }

    /// Only what is asked for under a name of this machine, or one of the settings, is answered.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        self.hosts.is_some()
    }

    /// Whether a key is needed.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use factorial_service::config::{GatewayRole, defaults};

    use super::*;

    fn started(address: &str, change: impl FnOnce(&mut AuthConfig)) -> Result<Access, AccessError> {
        let mut config = defaults::<GatewayRole>().unwrap().auth;
        change(&mut config);
        Access::new(&config, address.parse().unwrap())
    }

    #[test]
    fn an_open_port_is_one_that_was_asked_for() {
        for address in ["127.0.0.1:1", "[::1]:1", "0.0.0.0:1", "192.0.2.1:1"] {
            assert!(started(address, |_| {}).unwrap().enabled, "{address}");
            let insecure = started(address, |config| config.insecure_no_auth = true);
            assert!(!insecure.unwrap().enabled, "{address}");
        }
        for address in ["127.0.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            let off = started(address, |config| config.enabled = false).unwrap();
            assert_eq!(off.hosts.as_deref(), Some(&[][..]), "{address}");
        }
        for address in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[2001:db8::1]:1"] {
            let off = started(address, |config| config.enabled = false);
            let said = off.unwrap_err().to_string();
            assert!(said.contains("--insecure-no-auth"), "{said}");
        }
    }
}
