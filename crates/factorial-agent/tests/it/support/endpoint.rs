//! An endpoint of deferred calls.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::any,
};

/// One request: the idempotency key, the callback URL, the trace and the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) key: String,
    pub(crate) callback: String,
    pub(crate) trace: String,
    pub(crate) body: String,
}

pub(crate) struct Endpoint {
    pub(crate) base: String,
    hits: Arc<Mutex<Vec<Hit>>>,
}

impl Endpoint {
    /// Answers `/<status>` with that status and the body `because`.
    pub(crate) async fn start() -> Self {
        let hits: Arc<Mutex<Vec<Hit>>> = Arc::default();
        let app = Router::new()
            .route("/{status}", any(take))
            .with_state(Arc::clone(&hits));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { base, hits }
    }

    pub(crate) fn forget(&self) {
        self.hits.lock().unwrap().clear();
    }

    pub(crate) fn hits(&self) -> Vec<Hit> {
        self.hits.lock().unwrap().clone()
    }
}

async fn take(
    State(hits): State<Arc<Mutex<Vec<Hit>>>>,
    Path(status): Path<u16>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let header = |name: &str| {
        headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
            .to_owned()
    };
    hits.lock().unwrap().push(Hit {
        key: header("idempotency-key"),
        callback: header("factorial-callback-url"),
        trace: header("traceparent"),
        body: String::from_utf8_lossy(&body).into_owned(),
    });
    (StatusCode::from_u16(status).unwrap(), "because")
}
