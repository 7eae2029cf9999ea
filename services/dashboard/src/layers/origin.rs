//! Whose pages may call the dashboard: its own, and those of the origins that were configured.
//!
//! A browser sends what a page of another site tells it to, with whatever a proxy in front takes for a login. So a changing
//! request needs a header that a form cannot send, and an origin, where one is named, that is allowed; a WebSocket, which
//! no policy of browsers bounds, needs the same origin. Programs name no origin.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use factorial_service::{ApiError, ErrorKind};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HOST, ORIGIN, VARY,
    },
};
use url::Url;

use crate::app::App;

/// What the page sends with every changing request.
pub(crate) const PAGE_HEADER: &str = "x-factorial-dashboard";

/// Where a request comes from, as the browser says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It does not say.
    Unnamed,
    /// A page of the dashboard itself.
    Own,
    /// A page of a site that may.
    Allowed,
    /// A page of another site.
    Foreign,
}

impl Origin {
    pub(crate) fn of(headers: &HeaderMap, allowed: &[String]) -> Self {
        let Some(origin) = headers.get(ORIGIN) else {
            return Self::Unnamed;
        };
        let Ok(origin) = origin.to_str() else {
            return Self::Foreign;
        };
        // A proxy in front may have ended TLS, so the scheme says nothing here.
        let own = headers.get(HOST).and_then(|host| host.to_str().ok());
        if own.is_some_and(|host| is_at(origin, host)) {
            return Self::Own;
        }
        if allowed
            .iter()
            .any(|a| a == "*" || a.eq_ignore_ascii_case(origin))
        {
            return Self::Allowed;
        }
        Self::Foreign
    }
}

/// Whether an origin is a page at this host.
fn is_at(origin: &str, host: &str) -> bool {
    let Ok(url) = Url::parse(origin) else {
        return false;
    };
    let there = Url::parse(&format!("{}://{host}", url.scheme()));
    there.is_ok_and(|there| {
        there.host() == url.host() && there.port_or_known_default() == url.port_or_known_default()
    })
}

/// Refuses what may come from another site, and answers the browser's questions about the sites that may.
pub(crate) async fn guard_origin(State(app): State<App>, request: Request, next: Next) -> Response {
    let origin = Origin::of(request.headers(), &app.options.cors_origins);
    let named = request.headers().get(ORIGIN).cloned();
    let preflight = request.method() == Method::OPTIONS && named.is_some();
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    let unmarked = !request.headers().contains_key(PAGE_HEADER);
    let mut response = if preflight && origin != Origin::Own {
        StatusCode::NO_CONTENT.into_response()
    } else if !reads && (origin == Origin::Foreign || unmarked) {
        let detail = if unmarked {
            "a changing request carries the header X-Factorial-Dashboard: 1"
        } else {
            "the origin is neither the dashboard's own nor one of cors_origins"
        };
        let refusal = ApiError::new(ErrorKind::ForeignOrigin);
        refusal.with_detail(detail).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Some(named) = named.filter(|_| origin == Origin::Allowed) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, named);
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("x-request-id, retry-after"),
        );
        if preflight {
            let answers = [
                (ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, DELETE"),
                (
                    ACCESS_CONTROL_ALLOW_HEADERS,
                    "authorization, content-type, idempotency-key, x-api-key, x-factorial-dashboard, x-request-id",
                ),
                (ACCESS_CONTROL_MAX_AGE, "600"),
            ];
            for (name, value) in answers {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
    }
    response
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn from(origin: &str, host: &str) -> Origin {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, origin.parse().unwrap());
        headers.insert(HOST, host.parse().unwrap());
        Origin::of(&headers, &["https://ops.example.com".to_owned()])
    }

    #[test]
    fn an_origin_is_own_allowed_or_foreign() {
        for (origin, host, expected) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080", Origin::Own),
            ("https://dash.example.com", "dash.example.com", Origin::Own),
            (
                "https://dash.example.com",
                "dash.example.com:443",
                Origin::Own,
            ),
            ("http://[::1]:8080", "[::1]:8080", Origin::Own),
            (
                "https://ops.example.com",
                "dash.example.com",
                Origin::Allowed,
            ),
            (
                "https://ops.example.com.evil.org",
                "dash.example.com",
                Origin::Foreign,
            ),
            ("http://127.0.0.1:8081", "127.0.0.1:8080", Origin::Foreign),
            ("https://evil.org", "dash.example.com", Origin::Foreign),
            ("null", "dash.example.com", Origin::Foreign),
        ] {
            assert_eq!(from(origin, host), expected, "{origin} at {host}");
        }
        assert_eq!(Origin::of(&HeaderMap::new(), &[]), Origin::Unnamed);
    }
}
