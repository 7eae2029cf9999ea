//! Under which name a service without authentication is asked for.
//!
//! A browser on this machine reaches its loopback ports, and would call them for any page whose name leads there: by a
//! name that was bound anew, or by a request that needs no leave of the service. Invariant: only names of this machine and
//! those of the settings are answered, and no page of another site changes anything.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use factorial_service::{ApiError, ErrorKind};
use http::{Method, header};
use url::{Host, Url};

use crate::app::AppState;

/// Refuses what comes under another name.
pub(crate) async fn guard_host(
    State(app): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let Some(allowed) = &app.access.hosts else {
        return next.run(request).await;
    };
    let named = request.uri().host().map(str::to_owned).or_else(|| {
        let host = request.headers().get(header::HOST)?.to_str().ok()?;
        host_of(&format!("http://{host}"))
    });
    if !named.is_some_and(|name| is_here(&name, allowed)) {
        let detail = "the Host is neither a name of this machine nor one of auth.allowed_hosts";
        let refusal = ApiError::new(ErrorKind::MisdirectedRequest).with_detail(detail);
        return refusal.into_response();
    }
    next.run(request).await
}

/// Refuses what changes something, or opens a socket, from a page of another site.
pub(crate) async fn guard_pages(
    State(app): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let Some(allowed) = &app.access.hosts else {
        return next.run(request).await;
    };
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    let upgrades = request.headers().contains_key(header::UPGRADE);
    let foreign = request.headers().get(header::ORIGIN).is_some_and(|origin| {
        let host = origin.to_str().ok().and_then(host_of);
        !host.is_some_and(|host| is_here(&host, allowed))
    });
    if foreign && (!reads || upgrades) {
        let detail = "the origin is neither this machine nor one of auth.allowed_hosts";
        let refusal = ApiError::new(ErrorKind::ForeignOrigin).with_detail(detail);
        return refusal.into_response();
    }
    next.run(request).await
}

fn host_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    url.host_str().map(str::to_ascii_lowercase)
}

fn is_here(name: &str, allowed: &[String]) -> bool {
    let local = match Host::parse(name) {
        Ok(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        Err(_) => false,
    };
    local || allowed.iter().any(|host| host == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_few_names() {
        let allowed = ["dash.example.com".to_owned()];
        for here in [
            "localhost",
            "a.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "dash.example.com",
        ] {
            assert!(is_here(here, &allowed), "{here}");
        }
        for elsewhere in [
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "192.0.2.1",
            "[2001:db8::1]",
            "",
        ] {
            assert!(!is_here(elsewhere, &allowed), "{elsewhere}");
        }
    }
}
