//! A checked Redis URL. It is a secret as a whole, because a password may be a part of it.

use std::fmt;

use factorial_core::Address;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};

use crate::config::value::Value;

/// A URL that the Redis client understands; `Debug` hides it.
#[derive(Clone)]
pub struct RedisUrl(SecretString);

impl RedisUrl {
    /// Whether user and password may be added: a network address without any.
    pub(super) fn takes_credentials(&self) -> bool {
        let (scheme, rest) = self.parts();
        let hosts = rest.split('/').next().unwrap_or_default();
        !scheme.contains("unix") && !hosts.contains('@')
    }

    pub(super) fn with_credentials(
        &self,
        user: Option<&str>,
        password: Option<&str>,
    ) -> SecretString {
        let (scheme, rest) = self.parts();
        match credentials(user, password) {
            Some(credentials) if self.takes_credentials() => {
                format!("{scheme}://{credentials}@{rest}").into()
            }
            _ => self.0.clone(),
        }
    }

    pub(super) fn is_tls(&self) -> bool {
        let (scheme, _) = self.parts();
        scheme.starts_with("rediss") || scheme == "valkeys"
    }

    fn parts(&self) -> (&str, &str) {
        let url = self.0.expose_secret();
        url.split_once("://").unwrap_or(("", url))
    }
}

/// User and password as a URL has them.
pub(super) fn credentials(user: Option<&str>, password: Option<&str>) -> Option<String> {
    let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
    let user = user.map(encode);
    match (user, password.map(encode)) {
        (Some(user), Some(password)) => Some(format!("{user}:{password}")),
        (None, Some(password)) => Some(format!(":{password}")),
        (Some(user), None) => Some(user.to_string()),
        (None, None) => None,
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisUrl([REDACTED])")
    }
}

impl Value for RedisUrl {
    const KIND: &'static str = "URL";
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        Address::parse(text).map_err(|error| error.to_string())?;
        Ok(Self(text.into()))
    }
}
