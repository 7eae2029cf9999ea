//! A checked Redis URL. It is a secret as a whole, because a password may be a part of it.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::config::value::Value;

/// A URL that the Redis client understands; `Debug` hides it.
#[derive(Clone)]
pub struct RedisUrl(SecretString);

impl RedisUrl {
    /// Whether user and password may be added: a network address without any.
    pub(super) fn takes_credentials(&self) -> bool {
        Url::parse(self.0.expose_secret()).is_ok_and(|url| {
            url.has_host()
                && !is_unix(&url)
                && url.username().is_empty()
                && url.password().is_none()
        })
    }

    pub(super) fn with_credentials(
        &self,
        user: Option<&str>,
        password: Option<&str>,
    ) -> SecretString {
        let Ok(mut url) = Url::parse(self.0.expose_secret()) else {
            return self.0.clone();
        };
        if !self.takes_credentials() || (user.is_none() && password.is_none()) {
            return self.0.clone();
        }
        match (
            url.set_username(user.unwrap_or_default()),
            url.set_password(password),
        ) {
            (Ok(()), Ok(())) => String::from(url).into(),
            _ => self.0.clone(),
        }
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
        let url = Url::parse(text).map_err(|error| format!("is not a URL ({error})"))?;
        let network = matches!(url.scheme(), "redis" | "rediss" | "valkey" | "valkeys");
        if network && !url.has_host() {
            Err("has no host".to_owned())
        } else if network || is_unix(&url) {
            Ok(Self(text.into()))
        } else {
            Err("does not begin with redis://, rediss:// or redis+unix://".to_owned())
        }
    }
}

fn is_unix(url: &Url) -> bool {
    matches!(url.scheme(), "unix" | "redis+unix" | "valkey+unix")
}
