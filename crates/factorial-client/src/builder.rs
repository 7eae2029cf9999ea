//! How to reach a gateway.

use std::{sync::Arc, time::Duration};

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use url::Url;

use crate::{
    backoff::RetryPolicy,
    client::{Client, Inner},
    error::ClientError,
};

/// Makes a [`Client`].
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    base_url: String,
    api_key: Option<HeaderValue>,
    api_key_is_bad: bool,
    timeout: Duration,
    stream_silence: Duration,
    retry: RetryPolicy,
}

impl ClientBuilder {
    pub(crate) fn new(base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            api_key: None,
            api_key_is_bad: false,
            timeout: Duration::from_secs(30),
            stream_silence: Duration::from_secs(60),
            retry: RetryPolicy::default(),
        }
    }

    /// Sent as a bearer token.
    #[must_use]
    pub fn api_key(mut self, key: &str) -> Self {
        match HeaderValue::from_str(&format!("Bearer {key}")) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.api_key = Some(value);
            }
            Err(_) => self.api_key_is_bad = true,
        }
        self
    }

    /// How long a try may take; 30 s if not set. A long poll has its wait on top.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long an event stream may bring nothing, not even a keep-alive, before it is opened anew; 60 s if not set.
    #[must_use]
    pub fn stream_silence(mut self, silence: Duration) -> Self {
        self.stream_silence = silence;
        self
    }

    /// How failures are retried.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`ClientError::Setup`] when the URL or the key cannot be used, or TLS cannot be set up.
    pub fn build(self) -> Result<Client, ClientError> {
        let setup = ClientError::Setup;
        let url = |reason: String| {
            setup(format!(
                "{:?} is not a URL of a gateway: {reason}",
                self.base_url
            ))
        };
        let base = Url::parse(&self.base_url).map_err(|error| url(error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() {
            return Err(url("it does not begin with http:// or https://".to_owned()));
        }
        if self.api_key_is_bad {
            return Err(setup(
                "the API key has characters that cannot be sent".to_owned(),
            ));
        }
        let mut headers = HeaderMap::new();
        if let Some(key) = self.api_key {
            headers.insert(AUTHORIZATION, key);
        }
        let local = base
            .host_str()
            .is_some_and(|host| host == "localhost" || host == "[::1]" || host.starts_with("127."));
        let http = reqwest::Client::builder();
        // A proxy of the environment is for the world, not for this machine.
        let http = if local { http.no_proxy() } else { http };
        let http = http
            .user_agent(concat!("factorial-client/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .connect_timeout(Duration::from_secs(5))
            .tcp_nodelay(true)
            .build()
            .map_err(|error| setup(format!("no HTTP client: {error}")))?;
        Ok(Client(Arc::new(Inner {
            http,
            base,
            timeout: self.timeout,
            stream_silence: self.stream_silence,
            retry: self.retry,
        })))
    }
}
