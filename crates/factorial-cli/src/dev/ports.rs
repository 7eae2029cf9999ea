//! The ports, taken before anything else is started, so that a taken one is told at once.

use std::io;
use std::net::SocketAddr;

use factorial_service::config::DevRole;
use tokio::net::TcpListener;

use super::error::DevError;

/// A listener and the URL by which this machine reaches it.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) listener: TcpListener,
    pub(crate) address: SocketAddr,
    pub(crate) url: String,
}

/// One port for each role that has one.
#[derive(Debug)]
pub(crate) struct Ports {
    pub(crate) gateway: Port,
    pub(crate) admin: Port,
    pub(crate) dashboard: Option<Port>,
}

impl Ports {
    /// Binds them all.
    ///
    /// # Errors
    /// Names the port that is taken and the flag that chooses another.
    pub(crate) async fn bind(role: &DevRole) -> Result<Self, DevError> {
        let gateway = Wish {
            role: "gateway",
            host: &role.gateway.host,
            port: role.gateway.port,
            flag: "--gateway-port",
            variable: "FACTORIAL_GATEWAY_PORT",
            secure: role.tls.cert.is_some(),
        };
        let admin = Wish {
            role: "admin port",
            host: &role.admin.host,
            port: role.admin.port,
            flag: "--admin-port",
            variable: "FACTORIAL_ADMIN_PORT",
            secure: false,
        };
        let dashboard = Wish {
            role: "dashboard",
            host: &role.observability.host,
            port: role.observability.port,
            flag: "--observability-port",
            variable: "FACTORIAL_OBSERVABILITY_PORT",
            secure: role.tls.cert.is_some(),
        };
        Ok(Self {
            gateway: gateway.bind().await?,
            admin: admin.bind().await?,
            dashboard: match role.observability.enabled {
                true => Some(dashboard.bind().await?),
                false => None,
            },
        })
    }
}

impl Port {
    /// Only this machine reaches it.
    pub(crate) fn is_loopback(&self) -> bool {
        self.address.ip().is_loopback()
    }
}

struct Wish<'a> {
    role: &'static str,
    host: &'a str,
    port: u16,
    flag: &'static str,
    variable: &'static str,
    secure: bool,
}

impl Wish<'_> {
    async fn bind(self) -> Result<Port, DevError> {
        let bound = TcpListener::bind((self.host, self.port)).await;
        match bound.and_then(|listener| Ok((listener.local_addr()?, listener))) {
            Ok((address, listener)) => Ok(Port {
                listener,
                address,
                url: url_of(address, self.secure),
            }),
            Err(source) => Err(self.refusal(source)),
        }
    }

    fn refusal(self, source: io::Error) -> DevError {
        let host = self.host.to_owned();
        if source.kind() == io::ErrorKind::AddrInUse {
            DevError::PortTaken {
                role: self.role,
                host,
                port: self.port,
                flag: self.flag,
                variable: self.variable,
            }
        } else {
            DevError::Listen {
                role: self.role,
                host,
                port: self.port,
                flag: self.flag,
                source,
            }
        }
    }
}

/// An address that means "all of them" is reached by the loopback one.
fn url_of(mut address: SocketAddr, secure: bool) -> String {
    if address.ip().is_unspecified() {
        let loopback = match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        address.set_ip(loopback);
    }
    let scheme = if secure { "https" } else { "http" };
    format!("{scheme}://{address}")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn urls_can_be_opened() {
        let url = |text: &str| url_of(text.parse().unwrap(), false);
        assert_eq!(url("0.0.0.0:80"), "http://127.0.0.1:80");
        assert_eq!(url("[::]:80"), "http://[::1]:80");
        assert_eq!(url("10.0.0.1:8000"), "http://10.0.0.1:8000");
    }
}
