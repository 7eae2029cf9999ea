//! `Client`: one request and its answer, with retries where they are safe. Its operations are in the other files.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use factorial_api::{Health, Problem};
use reqwest::{
    Method, RequestBuilder, Response, StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use serde::de::DeserializeOwned;
use tokio::time::sleep;
use url::Url;

use crate::{backoff::RetryPolicy, builder::ClientBuilder, error::ClientError};

/// Most characters kept of an answer that is not understood.
const MOST_BODY: usize = 300;

/// A gateway. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) http: reqwest::Client,
    pub(crate) base: Url,
    pub(crate) timeout: Duration,
    pub(crate) stream_silence: Duration,
    pub(crate) retry: RetryPolicy,
}

/// Whether a request may be sent again after it is unknown whether it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    Safe,
    Never,
}

impl Client {
    /// `base_url` is where the gateway is, for example `http://127.0.0.1:8000`.
    #[must_use]
    pub fn builder(base_url: impl AsRef<str>) -> ClientBuilder {
        ClientBuilder::new(base_url.as_ref())
    }

    /// Where the gateway is.
    #[must_use]
    pub fn base_url(&self) -> &Url {
        &self.0.base
    }

    /// The health document; also that of a gateway that says that it is not well.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn health(&self) -> Result<Health, ClientError> {
        let request = self.request(Method::GET, &[]);
        let response = self.attempt(request, self.0.timeout).await?;
        if response.status().is_success() || response.status() == StatusCode::SERVICE_UNAVAILABLE {
            return Answer::of(response).await?.decode();
        }
        Err(refusal(response).await)
    }

    /// A request for a path, whose parts may hold any characters.
    pub(crate) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.request_with(method, path, &[])
    }

    /// The same with parameters.
    pub(crate) fn request_with(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, String)],
    ) -> RequestBuilder {
        let mut url = self.0.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.0.http.request(method, url)
    }

    /// `GET`, tried again as the policy says.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<T, ClientError> {
        let request = self.request_with(Method::GET, path, query);
        self.send(request, Repeat::Safe, self.0.timeout)
            .await?
            .decode()
    }

    /// The answer to a request, when it is a success; tried again as the policy says.
    pub(crate) async fn send(
        &self,
        request: RequestBuilder,
        repeat: Repeat,
        timeout: Duration,
    ) -> Result<Answer, ClientError> {
        let mut failures = 0;
        loop {
            let again = (repeat == Repeat::Safe)
                .then(|| request.try_clone())
                .flatten();
            let Some(this) = again else {
                return self.succeed(request, timeout).await;
            };
            let error = match self.succeed(this, timeout).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            failures += 1;
            let policy = &self.0.retry;
            let delay = policy.delay(failures, error.retry_after(), rand::random());
            match delay {
                Some(delay) if error.is_temporary() && failures < policy.tries => {
                    tracing::debug!(%error, failures, "request tried again");
                    sleep(delay).await;
                }
                _ => return Err(error),
            }
        }
    }

    /// The whole answer: one that breaks off is as good as none.
    async fn succeed(
        &self,
        request: RequestBuilder,
        timeout: Duration,
    ) -> Result<Answer, ClientError> {
        let response = self.attempt(request, timeout).await?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        Answer::of(response).await
    }

    async fn attempt(
        &self,
        request: RequestBuilder,
        timeout: Duration,
    ) -> Result<Response, ClientError> {
        request.timeout(timeout).send().await.map_err(transport)
    }
}

/// What a refusal says.
pub(crate) async fn refusal(response: Response) -> ClientError {
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
    let retry_after = retry_after.map(Duration::from_secs);
    let body = match response.bytes().await {
        Ok(body) => body,
        Err(error) => return transport(error),
    };
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => ClientError::Problem {
            problem: Box::new(problem),
            retry_after,
        },
        Err(_) => ClientError::Status {
            status,
            body: String::from_utf8_lossy(&body)
                .chars()
                .take(MOST_BODY)
                .collect(),
            retry_after,
        },
    }
}

/// A success.
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    async fn of(response: Response) -> Result<Self, ClientError> {
        let headers = response.headers().clone();
        let body = response.bytes().await.map_err(transport)?;
        Ok(Self { headers, body })
    }

    /// What it says.
    pub(crate) fn decode<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        Ok(serde_json::from_slice(&self.body)?)
    }
}

pub(crate) fn transport(error: reqwest::Error) -> ClientError {
    let mut url = error.url().cloned();
    if let Some(url) = &mut url {
        // A password may be part of it; nothing fails on what is not there.
        let _ = url.set_password(None);
        url.set_query(None);
        hide_token(url);
    }
    ClientError::Transport {
        url: url.map_or_else(String::new, String::from),
        source: error.without_url(),
    }
}

/// What follows `callbacks` in a path is a secret.
fn hide_token(url: &mut Url) {
    if let Some((before, _)) = url.path().split_once("/v1/callbacks/") {
        let path = format!("{before}/v1/callbacks/***");
        url.set_path(&path);
    }
}
