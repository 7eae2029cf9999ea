//! Names of receivers to addresses, at the moment of connecting.
//!
//! Given to the HTTP client, so what is judged here is what is connected to: a name that changes its address between two
//! looks gains nothing.

use std::{fmt, net::SocketAddr, sync::Arc};

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// Finds the addresses of a name.
pub(super) type Lookup =
    Arc<dyn Fn(String) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// All addresses of a name are special ones.
#[derive(Debug)]
pub(super) struct PrivateAddress;

impl fmt::Display for PrivateAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("all addresses of the host are private")
    }
}

impl std::error::Error for PrivateAddress {}

/// The name has no address.
#[derive(Debug)]
pub(super) struct UnknownHost;

impl fmt::Display for UnknownHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the host has no address")
    }
}

impl std::error::Error for UnknownHost {}

/// Looks names up, and leaves out addresses that may not be reached.
pub(super) struct Resolver {
    pub(super) lookup: Lookup,
    pub(super) allow_private: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, allow_private) = ((self.lookup)(name.as_str().to_owned()), self.allow_private);
        Box::pin(async move {
            let found = found.await.map_err(|_| UnknownHost)?;
            if found.is_empty() {
                return Err(UnknownHost.into());
            }
            let mut allowed = found;
            allowed.retain(|address| allow_private || is_public(address.ip()));
            if allowed.is_empty() {
                return Err(PrivateAddress.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// The lookup of the system.
pub(super) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.collect())
        })
    })
}
