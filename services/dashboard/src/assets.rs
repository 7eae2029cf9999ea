//! The files of the page, embedded.
//!
//! Files below `assets/` have names that change with their content, so they are kept for good; everything else is asked for
//! again. A path that is no file is a place inside the page, which finds its way by itself.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use factorial_service::{ApiError, ErrorKind};
use http::{
    HeaderMap, HeaderValue, StatusCode, Uri,
    header::{
        ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
    },
};

use crate::{app::App, login, page};

/// One file of the page.
struct Asset {
    /// Below the root of the page.
    path: &'static str,
    content: &'static [u8],
    gzip: Option<&'static [u8]>,
    /// As an `ETag` has it.
    tag: &'static str,
}

/// None, if the page was not built.
static ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// `GET /observability`: the page.
pub(crate) async fn index(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Response {
    if app.rest.needs_keys() {
        // A browser can send a session alone; one without is shown where to begin one.
        match app.rest.has_session(&headers).await {
            Ok(true) => {}
            Ok(false) => return login::redirect(&uri),
            Err(refusal) => return refusal.into_response(),
        }
    }
    match find("index.html") {
        Some(asset) => send(asset, &headers),
        None => page::not_built(&app),
    }
}

/// `GET /observability/<path>`: a file of the page, or the page.
pub(crate) async fn file(
    State(app): State<App>,
    Path(path): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if let Some(asset) = find(&path) {
        return send(asset, &headers);
    }
    if path == page::STYLE_PATH && find("index.html").is_none() {
        return page::style();
    }
    // Not a place inside the page: whoever asks for it would take the page for what it asked for.
    if path.starts_with("assets/") || path.starts_with("api/") {
        return ApiError::new(ErrorKind::RouteNotFound).into_response();
    }
    index(State(app), uri, headers).await
}

fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

fn send(asset: &'static Asset, asked: &HeaderMap) -> Response {
    let keep = if asset.path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let named = |name| {
        asked
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let known = named(IF_NONE_MATCH).is_some_and(|tags| {
        tags.split(',')
            .any(|tag| tag.trim().trim_start_matches("W/") == asset.tag)
    });
    let zipped = named(ACCEPT_ENCODING).is_some_and(|codings| {
        codings.split(',').any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            let refused = weight
                .trim()
                .strip_prefix("q=")
                .is_some_and(|q| q.parse() == Ok(0.0));
            name.trim() == "gzip" && !refused
        })
    });
    let (body, coding) = match asset.gzip.filter(|_| zipped) {
        Some(gzip) => (gzip, Some("gzip")),
        None => (asset.content, None),
    };
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body.into_response()
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(ETAG, HeaderValue::from_static(asset.tag));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if !known {
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(media_type(asset.path)),
        );
        if let Some(coding) = coding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
    }
    response
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    static SCRIPT: Asset = Asset {
        path: "assets/index-abc.js",
        content: b"plain",
        gzip: Some(b"zipped"),
        tag: "\"17\"",
    };

    fn asked(name: http::HeaderName, value: &'static str) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        send(&SCRIPT, &headers)
    }

    #[tokio::test]
    async fn a_file_is_sent_once_and_compressed() {
        let response = asked(ACCEPT_ENCODING, "br, gzip;q=0.8");
        assert_eq!(response.headers()[CONTENT_ENCODING], "gzip");
        assert_eq!(
            response.headers()[CONTENT_TYPE],
            "text/javascript; charset=utf-8"
        );
        assert!(
            response.headers()[CACHE_CONTROL]
                .to_str()
                .unwrap()
                .contains("immutable")
        );
        for refusing in ["br", "gzip;q=0", "identity"] {
            let response = asked(ACCEPT_ENCODING, refusing);
            assert!(
                !response.headers().contains_key(CONTENT_ENCODING),
                "{refusing}"
            );
        }
        for tags in ["\"17\"", "\"16\", W/\"17\""] {
            assert_eq!(
                asked(IF_NONE_MATCH, tags).status(),
                StatusCode::NOT_MODIFIED
            );
        }
        assert_eq!(asked(IF_NONE_MATCH, "\"18\"").status(), StatusCode::OK);
    }
}
