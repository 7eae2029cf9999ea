//! One try: a request, and what came of it.
//!
//! Invariant: no redirect is followed, no proxy is asked, and of an answer at most a kilobyte is read.

use std::{error::Error, io, net::IpAddr, time::Duration};

use reqwest::{
    Client, Response, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
    redirect::Policy,
};
use url::Host;

use super::{
    address::is_public,
    message::Message,
    resolve::{Lookup, PrivateAddress, Resolver, UnknownHost},
};

/// How long a receiver may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What is read of an answer, so that its connection can be used again.
const MOST_BYTES: usize = 1024;
const IDLE: Duration = Duration::from_secs(30);
const USER_AGENT: &str = concat!("factorial-webhooks/", env!("CARGO_PKG_VERSION"));

/// The HTTP client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the HTTP client for webhooks: {0}")]
pub struct SenderError(#[from] reqwest::Error);

/// What came of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A status, and how long the receiver wants to be left alone.
    Status(StatusCode, Option<Duration>),
    /// No answer.
    Nothing(&'static str),
    /// It was not asked, since its address is private.
    Private,
}

/// Sends messages.
#[derive(Debug)]
pub(super) struct Sender {
    client: Client,
    allow_private: bool,
}

impl Sender {
    pub(super) fn new(lookup: Lookup, allow_private: bool) -> Result<Self, SenderError> {
        let resolver = Resolver {
            lookup,
            allow_private,
        };
        let client = Client::builder()
            .dns_resolver(resolver)
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(2)
            .user_agent(USER_AGENT)
            .build()?;
        Ok(Self {
            client,
            allow_private,
        })
    }

    /// Sends a message. What is told of an error holds nothing of the URL, which may be a secret.
    pub(super) async fn send(&self, url: Url, message: Message) -> Said {
        // No name is looked up for these.
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) | None => None,
        };
        if !self.allow_private && literal.is_some_and(|address| !is_public(address)) {
            return Said::Private;
        }
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", message.timestamp)
            .header("webhook-signature", message.signature)
            .body(message.body);
        match request.send().await {
            Ok(response) => {
                let said = Said::Status(response.status(), retry_after(response.headers()));
                read_some(response).await;
                said
            }
            Err(error) => reason(&error),
        }
    }
}

/// Seconds; a date is not understood, and needs no more than the usual wait.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

/// The status counts, whatever becomes of the rest.
async fn read_some(mut response: Response) {
    let mut read = 0;
    while read < MOST_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => read += chunk.len(),
            Ok(None) | Err(_) => return,
        }
    }
}

fn reason(error: &reqwest::Error) -> Said {
    let mut cause = error.source();
    let mut garbled = false;
    while let Some(inner) = cause {
        if inner.is::<PrivateAddress>() {
            return Said::Private;
        }
        if inner.is::<UnknownHost>() {
            return Said::Nothing("unknown_host");
        }
        cause = match inner.downcast_ref::<io::Error>() {
            Some(error) => {
                garbled |= error.kind() == io::ErrorKind::InvalidData;
                // Its source would be that of what it wraps.
                error.get_ref().map(|wrapped| wrapped as &dyn Error)
            }
            None => inner.source(),
        };
    }
    Said::Nothing(if error.is_timeout() {
        "timeout"
    } else if error.is_connect() && garbled {
        "tls_failed"
    } else {
        "connection_failed"
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::{
        net::SocketAddr,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use tokio::net::TcpListener;

    use super::*;

    fn message() -> Message {
        Message {
            id: "m".to_owned(),
            timestamp: 0,
            signature: "v1,x".to_owned(),
            body: b"{}".to_vec(),
        }
    }

    /// Answers with what the list says, look by look.
    fn changing(answers: Vec<Vec<&'static str>>) -> (Lookup, Arc<AtomicUsize>) {
        let looks = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&looks);
        let lookup: Lookup = Arc::new(move |_| {
            let look = counted.fetch_add(1, Ordering::SeqCst);
            let found = answers[look.min(answers.len() - 1)].clone();
            let found = found
                .into_iter()
                .map(|ip| SocketAddr::new(ip.parse().unwrap(), 0));
            let found: Vec<_> = found.collect();
            Box::pin(async move { Ok(found) })
        });
        (lookup, looks)
    }

    #[tokio::test]
    async fn a_name_that_becomes_private_is_not_reached() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url: Url = format!("http://rebinding.example:{port}/").parse().unwrap();
        // Public at first, where nobody answers; then not any more: each connection is judged by its own look.
        let (lookup, looks) = changing(vec![vec!["192.0.1.1"], vec!["127.0.0.1"]]);
        let sender = Sender::new(lookup, false).unwrap();
        let first = sender.send(url.clone(), message()).await;
        assert!(matches!(first, Said::Nothing(_)), "{first:?}");
        assert_eq!(sender.send(url.clone(), message()).await, Said::Private);
        assert_eq!(looks.load(Ordering::SeqCst), 2);
        for private in [
            "10.1.2.3",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "169.254.169.254",
        ] {
            let (lookup, _) = changing(vec![vec![private]]);
            let sender = Sender::new(lookup, false).unwrap();
            assert_eq!(
                sender.send(url.clone(), message()).await,
                Said::Private,
                "{private}"
            );
        }
        let accepted = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(accepted.is_err(), "nobody came");
    }

    #[tokio::test]
    async fn of_several_addresses_only_public_ones_are_tried() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // 192.0.0.0/24 would be private too; this one is public, and nobody answers there in time.
        let (lookup, _) = changing(vec![vec!["127.0.0.1", "192.0.1.1"]]);
        let sender = Sender::new(lookup, false).unwrap();
        let url: Url = format!("http://both.example:{port}/").parse().unwrap();
        assert!(matches!(
            sender.send(url, message()).await,
            Said::Nothing(_)
        ));
        let accepted = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(accepted.is_err(), "nobody came");
    }

    #[tokio::test]
    async fn a_name_without_addresses_is_unknown() {
        let (lookup, _) = changing(vec![vec![]]);
        let sender = Sender::new(lookup, false).unwrap();
        let url: Url = "https://nobody.example/".parse().unwrap();
        assert_eq!(
            sender.send(url, message()).await,
            Said::Nothing("unknown_host")
        );
    }
}
