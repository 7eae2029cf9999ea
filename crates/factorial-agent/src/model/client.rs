//! The HTTP clients of a process.
//!
//! Used by all models and HTTP tools, so that connections are kept and shared.

use std::time::Duration;

use url::{Host, Url};

/// The HTTP clients could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("http client: {0}")]
pub struct ClientError(#[from] reqwest::Error);

/// Two clients: a proxy of the environment is used for the world, never for this machine.
#[derive(Debug, Clone)]
pub struct HttpClients {
    world: reqwest::Client,
    loopback: reqwest::Client,
}

impl HttpClients {
    /// Clients that keep connections, give up connecting after 10 s, and follow no redirects.
    ///
    /// # Errors
    /// [`ClientError`] if TLS cannot be set up.
    pub fn new() -> Result<Self, ClientError> {
        Ok(Self {
            world: builder().build()?,
            loopback: builder().no_proxy().build()?,
        })
    }

    /// The client for an address.
    #[must_use]
    pub fn to(&self, address: &str) -> &reqwest::Client {
        let local = Url::parse(address).is_ok_and(|url| match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        });
        if local { &self.loopback } else { &self.world }
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .tcp_nodelay(true)
        // All calls to a host would share one connection of HTTP/2, and those beyond its limit of streams, often 100, wait
        // unseen.
        .http1_only()
        .tcp_keepalive(Duration::from_secs(30))
        .pool_idle_timeout(Duration::from_secs(60))
        // A redirect would carry keys and idempotency keys to a place that nobody configured.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("factorial/", env!("CARGO_PKG_VERSION")))
}
