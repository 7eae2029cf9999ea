//! A receiver on a port of its own, that answers as it is told and keeps what it got.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How to answer, by how many messages came before.
type Answer = Arc<dyn Fn(usize) -> Reply + Send + Sync>;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// This status.
    Status(u16),
    /// This status and a header.
    With(u16, &'static str, String),
    /// After a time.
    After(Duration, u16),
    /// A head at once, and a body that never ends.
    Endless,
}

/// A message that came.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) at: Instant,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Verifies the signature, by the letter of the specification and nothing of ours.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD
            .decode(secret.strip_prefix("whsec_").unwrap())
            .unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let (id, stamp) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        mac.update([id, ".", stamp, "."].concat().as_bytes());
        mac.update(&self.body);
        let signature = self
            .header("webhook-signature")
            .strip_prefix("v1,")
            .unwrap();
        mac.verify_slice(&STANDARD.decode(signature).unwrap())
            .is_ok()
    }
}

#[derive(Clone)]
pub(crate) struct Receiver {
    address: SocketAddr,
    answer: Answer,
    got: Arc<Mutex<Vec<Got>>>,
    open: Arc<AtomicUsize>,
    most_open: Arc<AtomicUsize>,
}

impl Receiver {
    pub(crate) async fn start(answer: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            answer: Arc::new(answer),
            got: Arc::default(),
            open: Arc::default(),
            most_open: Arc::default(),
        };
        let app = Router::new().fallback(receive).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        receiver
    }

    pub(crate) async fn obliging() -> Self {
        Self::start(|_| Reply::Status(204)).await
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook?x=1", self.address)
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// Most messages that were being answered at the same time.
    pub(crate) fn most_open(&self) -> usize {
        self.most_open.load(Ordering::SeqCst)
    }
}

/// Counts down also when the sender hangs up.
struct Open(Receiver);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn receive(
    State(receiver): State<Receiver>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let open = receiver.open.fetch_add(1, Ordering::SeqCst) + 1;
    receiver.most_open.fetch_max(open, Ordering::SeqCst);
    let _open = Open(receiver.clone());
    let before = {
        let mut got = receiver.got.lock().unwrap();
        let path = uri.to_string();
        got.push(Got {
            path,
            headers,
            body,
            at: Instant::now(),
        });
        got.len() - 1
    };
    let status = |code| StatusCode::from_u16(code).unwrap();
    match (receiver.answer)(before) {
        Reply::Status(code) => status(code).into_response(),
        Reply::With(code, name, value) => (status(code), [(name, value)]).into_response(),
        Reply::After(time, code) => {
            tokio::time::sleep(time).await;
            status(code).into_response()
        }
        Reply::Endless => {
            let chunk = || async {
                Some((
                    Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 512])),
                    (),
                ))
            };
            let body = futures::stream::unfold((), move |()| chunk());
            Body::from_stream(body).into_response()
        }
    }
}
