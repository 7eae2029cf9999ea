//! Where a request comes from: the peer of its connection, or what a proxy that is trusted says of it.

use std::net::{IpAddr, SocketAddr};

use factorial_service::config::Network;
use http::{Extensions, HeaderMap};

/// The other end of the connection that a request came over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// Its address.
    pub(crate) address: SocketAddr,
    /// It speaks TLS to us.
    pub(crate) encrypted: bool,
}

/// Address of the client: the last one of `X-Forwarded-For` that is no trusted proxy, if the peer is one.
pub(crate) fn client_address(
    extensions: &Extensions,
    headers: &HeaderMap,
    trusted: &[Network],
) -> Option<IpAddr> {
    let mut address = extensions.get::<Peer>()?.address.ip().to_canonical();
    let is_trusted = |address| trusted.iter().any(|network| network.contains(address));
    let told = headers.get_all("x-forwarded-for").iter();
    let told: Vec<&str> = told
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for hop in told.into_iter().rev() {
        if !is_trusted(address) {
            break;
        }
        let Ok(before) = hop.trim().parse::<IpAddr>() else {
            break;
        };
        address = before.to_canonical();
    }
    Some(address)
}

/// Whether the client speaks TLS, to us or to a proxy that is trusted.
pub(crate) fn is_encrypted(
    extensions: &Extensions,
    headers: &HeaderMap,
    trusted: &[Network],
) -> bool {
    let Some(peer) = extensions.get::<Peer>() else {
        return false;
    };
    let forwarded = headers.get("x-forwarded-proto");
    let by_proxy = forwarded.is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"));
    let believed = trusted
        .iter()
        .any(|network| network.contains(peer.address.ip()));
    peer.encrypted || (by_proxy && believed)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use factorial_service::config::{GatewayRole, defaults};

    use super::*;

    fn seen(peer: &str, forwarded: &[&str], trusted: &[Network]) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(Peer {
            address: SocketAddr::new(peer.parse().unwrap(), 1),
            encrypted: false,
        });
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        client_address(&extensions, &headers, trusted)
            .unwrap()
            .to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let none = defaults::<GatewayRole>().unwrap().auth.trusted_proxies;
        let proxies: [Network; 1] = ["10.0.0.0/8".parse().unwrap()];
        for (peer, forwarded, trusted, client) in [
            ("192.0.2.1", &["203.0.113.9"][..], &none[..], "192.0.2.1"),
            ("192.0.2.1", &["203.0.113.9"], &proxies, "192.0.2.1"),
            ("10.0.0.1", &["203.0.113.9"], &proxies, "203.0.113.9"),
            (
                "10.0.0.1",
                &["1.1.1.1, 203.0.113.9, 10.9.9.9"],
                &proxies,
                "203.0.113.9",
            ),
            (
                "10.0.0.1",
                &["1.1.1.1", "203.0.113.9"],
                &proxies,
                "203.0.113.9",
            ),
            ("10.0.0.1", &["nonsense"], &proxies, "10.0.0.1"),
            ("10.0.0.1", &[], &proxies, "10.0.0.1"),
        ] {
            assert_eq!(
                seen(peer, forwarded, trusted),
                client,
                "{peer} {forwarded:?}"
            );
        }
    }
}
