//! What stands for the page where it was not built.
//!
//! Invariant: nothing is loaded from elsewhere, no script runs, and every value is escaped.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::app::App;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
/// Of its style, below `/observability/`.
pub(crate) const STYLE_PATH: &str = "style.css";

/// Says that the page was not built, and how that is done.
pub(crate) fn not_built(app: &App) -> Response {
    let options = &app.options;
    let docs = match &options.api_docs {
        Some(url) => format!("the <a href=\"{}\">API documentation</a>", escape(url)),
        None => "the API documentation at <code>/docs</code> of the gateway".to_owned(),
    };
    let body = PAGE
        .replace("{docs}", &docs)
        .replace("{version}", env!("CARGO_PKG_VERSION"))
        // Last, so that a name with braces in it is not taken for a place to fill in.
        .replace("{name}", &escape(&options.name));
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
}

/// Its style.
pub(crate) fn style() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, STYLE).into_response()
}

pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(
            escape(r#"<a href="x">'&'"#),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;"
        );
    }
}
