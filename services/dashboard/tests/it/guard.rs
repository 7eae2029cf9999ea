//! Whose pages may call, and what browsers are told.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio_tungstenite::tungstenite::Error;

use crate::support::{ALLOWED, dashboard};

#[tokio::test]
async fn a_page_of_another_site_cannot_act() {
    let dashboard = dashboard().await;
    let body = json!({"agent": "writer", "owner_id": "o", "query": "hi"});
    let mark = ("x-factorial-dashboard", "1");
    let own = dashboard.url.clone();
    let cases: [(&[(&str, &str)], StatusCode); 6] = [
        (&[], StatusCode::FORBIDDEN),
        (&[("origin", &own)], StatusCode::FORBIDDEN),
        (
            &[mark, ("origin", "https://evil.example.org")],
            StatusCode::FORBIDDEN,
        ),
        (&[mark], StatusCode::CREATED),
        (&[mark, ("origin", &own)], StatusCode::CREATED),
        (&[mark, ("origin", ALLOWED)], StatusCode::CREATED),
    ];
    for (headers, status) in cases {
        let path = "/observability/api/tasks";
        let answer = dashboard
            .send(Method::POST, path, headers, Some(&body))
            .await;
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text);
        if status == StatusCode::FORBIDDEN {
            assert_eq!(answer.json()["code"], "foreign_origin");
        }
    }
    assert_eq!(
        dashboard.ask("/tasks").await["data"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    for origin in ["https://evil.example.org", "null"] {
        let refused = dashboard.connect(Some(origin)).await.err().map(|e| *e);
        let Some(Error::Http(response)) = refused else {
            panic!("{origin} was let in");
        };
        assert_eq!(response.status(), 403);
    }
    for origin in [None, Some(ALLOWED), Some(&*own)] {
        assert!(dashboard.connect(origin).await.is_ok(), "{origin:?}");
    }
}

#[tokio::test]
async fn sites_that_may_read_are_told_so() {
    let dashboard = dashboard().await;
    let path = "/observability/api/agents";
    let read = |origin: &'static str| {
        let headers = [("origin", origin)];
        let dashboard = &dashboard;
        async move { dashboard.send(Method::GET, path, &headers, None).await }
    };
    let allowed = read(ALLOWED).await;
    assert_eq!(allowed.headers["access-control-allow-origin"], ALLOWED);
    assert_eq!(allowed.headers["vary"], "origin");
    let foreign = read("https://evil.example.org").await;
    assert_eq!(foreign.status, StatusCode::OK);
    assert!(!foreign.headers.contains_key("access-control-allow-origin"));

    let asked = [
        ("origin", ALLOWED),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "x-factorial-dashboard"),
    ];
    let preflight = dashboard.send(Method::OPTIONS, path, &asked, None).await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    let headers = preflight.headers["access-control-allow-headers"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(headers.contains("x-factorial-dashboard"), "{headers}");
    let asked = [("origin", "https://evil.example.org")];
    let preflight = dashboard.send(Method::OPTIONS, path, &asked, None).await;
    assert!(
        !preflight
            .headers
            .contains_key("access-control-allow-origin")
    );
}

#[tokio::test]
async fn every_answer_keeps_the_browser_on_a_short_lead() {
    let dashboard = dashboard().await;
    for path in [
        "/",
        "/observability",
        "/observability/tasks",
        "/observability/api/tasks",
        "/observability/api/tasks?status=nonsense",
        "/observability/api/openapi.json",
        "/nowhere",
    ] {
        let answer = dashboard.get(path).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{path}"
        );
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(
            answer.headers["x-content-type-options"], "nosniff",
            "{path}"
        );
        assert_eq!(answer.headers["referrer-policy"], "no-referrer", "{path}");
        assert!(answer.headers.contains_key("cache-control"), "{path}");
        assert!(answer.headers.contains_key("x-request-id"), "{path}");
    }
}
