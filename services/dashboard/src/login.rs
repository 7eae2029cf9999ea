//! Where people log in: a page of its own, so that nothing else is needed to get in.
//!
//! Invariant: it leads to places of the dashboard alone.

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use factorial_service::{ApiError, ErrorKind};
use http::{
    Uri,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{app::App, page::escape};

const PAGE: &str = include_str!("login.html");
const SCRIPT: &str = include_str!("login.js");
const STYLE: &str = include_str!("login.css");

/// `GET /observability/login`
pub(crate) async fn page(State(app): State<App>) -> Response {
    let body = PAGE.replace("{name}", &escape(&app.options.name));
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
}

/// `GET /observability/login/<file>`: what the page consists of.
pub(crate) async fn file(Path(file): Path<String>) -> Response {
    let (media_type, content) = match file.as_str() {
        "login.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "login.css" => ("text/css; charset=utf-8", STYLE),
        _ => return ApiError::new(ErrorKind::RouteNotFound).into_response(),
    };
    let headers = [(CONTENT_TYPE, media_type), (CACHE_CONTROL, "no-cache")];
    (headers, content).into_response()
}

/// To the page, and from there back to where somebody wanted to go.
pub(crate) fn redirect(wanted: &Uri) -> Response {
    let wanted = wanted.path_and_query().map_or("", |place| place.as_str());
    let next = utf8_percent_encode(wanted, NON_ALPHANUMERIC);
    Redirect::to(&format!("/observability/login?next={next}")).into_response()
}
