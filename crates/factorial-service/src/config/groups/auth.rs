//! Who may call a gateway or a dashboard.

use std::{net::IpAddr, str::FromStr};

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::config::group::config_group;
use crate::config::reader::Reader;
use crate::config::value::Value;

/// A key that somebody made up must not be guessed.
const LEAST_ADMIN_KEY: usize = 24;

config_group! {
    /// Who may call a gateway or a dashboard, and how often. docs/security.md explains all of it.
    pub struct AuthConfig, "Authentication", in "auth" {
        /// Whether a key is needed. `factorial dev` on loopback addresses does without, unless this is set.
        enabled: bool = "true", name "auth_enabled";
        /// A key of at least 24 characters that may do everything, for setting up. Keys of its own are made with `factorial keys create`.
        admin_key: Option<SecretString>, name "admin_key";
        /// Starts without authentication on any address: whoever reaches the port may do everything.
        insecure_no_auth: bool = "false", name "insecure_no_auth";
        /// Names, besides those of this machine, under which a service without authentication is asked for; others are answered with 421.
        allowed_hosts: Vec<HostName>;
        /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed: addresses, or networks such as `10.0.0.0/8`.
        trusted_proxies: Vec<Network>;
        /// Requests that a key may make in a second at each process, unless it has a limit of its own; no limit if absent.
        key_requests_per_second: Option<f64>, range 0.01 to 1000000.0;
        /// Requests that such a key may make at once; twice its requests per second if absent.
        key_burst: Option<u32>, range 1.0 to 10000000.0;
        /// Issuer of JSON Web Tokens that are taken besides keys: the `iss` claim.
        jwt_issuer: Option<String>;
        /// Who such a token must be for: one of its `aud` claim.
        jwt_audience: Option<String>;
        /// Where the keys of the issuer are (a JWKS); if absent, `jwks_uri` of its `.well-known/openid-configuration`.
        jwks_url: Option<Url>;
        /// Claim with the owners that a token is for: a text, a list of them, or `*` for all.
        jwt_owner_claim: String = "factorial_owner";
        /// Claim with the role that a token gives: `viewer`, `submitter`, `operator` or `admin`.
        jwt_role_claim: String = "factorial_role";
        /// Entries of the audit log that are kept, about.
        audit_entries: u64 = "10000", name "audit_entries", range 100.0 to 10000000.0;
    }
    check check_auth;
}

fn check_auth(config: &AuthConfig, reader: &mut Reader<'_>) {
    let admin_key = config.admin_key.as_ref().map(|key| key.expose_secret());
    if let Some(key) = admin_key {
        if key.chars().count() < LEAST_ADMIN_KEY {
            reader.reject(
                "admin_key",
                format!("the value has fewer than {LEAST_ADMIN_KEY} characters"),
            );
        } else if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            reader.reject("admin_key", "the value is not of visible ASCII characters");
        }
    }
    match (&config.jwt_issuer, &config.jwt_audience) {
        (Some(_), None) => reader.reject(
            "jwt_issuer",
            "jwt_audience is missing: tokens for others would be taken",
        ),
        (None, Some(_)) => reader.reject("jwt_audience", "jwt_issuer is missing"),
        (Some(issuer), _) if config.jwks_url.is_none() && Url::parse(issuer).is_err() => reader
            .reject(
                "jwt_issuer",
                "is not a URL, so jwks_url is needed to find its keys",
            ),
        (None, None) if config.jwks_url.is_some() => {
            reader.reject("jwks_url", "jwt_issuer is missing");
        }
        _ => {}
    }
}

/// A host as a `Host` header has it, without the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    /// The name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for HostName {
    const KIND: &'static str = "HOST";

    fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(&format!("http://{text}"))
            .map_err(|_| "is not the name of a host".to_owned())?;
        let alone = url.port().is_none() && url.path() == "/" && url.username().is_empty();
        match url.host_str().filter(|_| alone && !text.ends_with('/')) {
            Some(host) => Ok(Self(host.to_ascii_lowercase())),
            None => Err("is more than the name of a host".to_owned()),
        }
    }
}

/// An address, or all addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Whether an address is one of it.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - self.bits).unwrap_or(0);
                u32::from(own) & mask == u32::from(other) & mask
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - self.bits).unwrap_or(0);
                u128::from(own) & mask == u128::from(other) & mask
            }
            _ => false,
        }
    }
}

impl Value for Network {
    const KIND: &'static str = "NETWORK";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "is neither an address nor a network (write 10.0.0.0/8)".to_owned();
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_| wrong())?,
            None => most,
        };
        if bits > most {
            return Err(wrong());
        }
        Ok(Self { address, bits })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "1.2.3.4", "::1"),
            ("fd00::/8", "fd12::1", "fe80::1"),
            ("::1", "::1", "127.0.0.1"),
            ("127.0.0.0/8", "::ffff:127.0.0.1", "::1"),
        ] {
            let network = <Network as Value>::parse(network).unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{outside}");
        }
        for bad in ["", "10", "10.0.0.0/33", "::/129", "10.0.0.0/x", "host"] {
            assert!(<Network as Value>::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hosts_are_names_alone() {
        for (good, name) in [
            ("Dash.example.com", "dash.example.com"),
            ("[::1]", "[::1]"),
            ("10.0.0.1", "10.0.0.1"),
        ] {
            assert_eq!(<HostName as Value>::parse(good).unwrap().as_str(), name);
        }
        for bad in ["", "a/b", "a:81", "u@a", "http://a", "a b"] {
            assert!(<HostName as Value>::parse(bad).is_err(), "{bad}");
        }
    }
}
