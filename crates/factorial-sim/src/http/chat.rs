//! `POST /v1/chat/completions`: parse, decide, wait, answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::body;
use crate::behaviour::{Behaviour, Fault, RetryAfter};
use crate::reply::{View, compose, decide};
use crate::state::{Flight, Seen, Shared, Source, Verdict};
use crate::wire::{ChatRequest, Frames, Reply, WireError, completion_json, validate};

/// Characters in a token of a stream.
const TOKEN_CHARS: usize = 4;
/// The same of a huge reply, which would be millions of events otherwise.
const HUGE_TOKEN_CHARS: usize = 16 * 1024;

/// What is to be sent, free of the request's body.
struct Plan {
    reply: Reply,
    verdict: Verdict,
    stream: bool,
    usage: bool,
}

pub(super) async fn complete(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let mut flight = shared.begin();
    let plan = match plan(&shared, &flight, &headers, body) {
        Ok(plan) => plan,
        Err(error) => {
            flight.finished(error.status.as_u16());
            return error.into_response();
        }
    };
    if plan.verdict.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(plan.verdict.latency_ms)).await;
    }
    send(plan, flight).await
}

fn plan(
    shared: &Shared,
    flight: &Flight,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Plan, WireError> {
    let body = body.map_err(|rejection| WireError {
        status: rejection.status(),
        message: rejection.body_text(),
        param: None,
        code: None,
    })?;
    let request: ChatRequest<'_> =
        serde_json::from_slice(&body).map_err(|error| WireError::body(&error))?;
    flight.parsed(&Seen {
        model: &request.model,
        messages: request.messages.len(),
        tools: request.offered().len(),
        stream: request.streams(),
        last_user_text: request.last_user_text(),
        task: headers
            .get("x-factorial-task")
            .and_then(|value| value.to_str().ok()),
    });
    validate(&request)?;
    if !shared.serves(&request.model) {
        return Err(WireError::unknown_model(&request.model));
    }
    let asked = headers
        .get("x-sim-behaviour")
        .map(|value| Behaviour::from_json(value.as_bytes()))
        .transpose()
        .map_err(|error| WireError::invalid("x-sim-behaviour", error.to_string()))?;

    let view = View::new(&request);
    let decision = decide(&view);
    let mut verdict = shared.decide(&Source {
        header: asked.as_ref(),
        directive: view.directives.behaviour.as_ref(),
        kind: decision.kind(),
        text: request.last_user_text(),
        seed: view.seed,
    });
    let wishes = &view.directives;
    verdict.latency_ms = wishes.latency_ms.unwrap_or(verdict.latency_ms);
    verdict.token_delay_ms = wishes.token_delay_ms.unwrap_or(verdict.token_delay_ms);
    Ok(Plan {
        reply: compose(&view, decision, verdict.fault.as_ref()),
        verdict,
        stream: request.streams(),
        usage: request.wants_usage(),
    })
}

async fn send(plan: Plan, mut flight: Flight) -> Response {
    let Plan {
        reply,
        verdict,
        stream,
        usage,
    } = plan;
    match &verdict.fault {
        Some(Fault::Status {
            status,
            code,
            retry_after,
            retry_after_ms,
        }) => {
            let error = WireError::injected(*status, code.as_deref());
            flight.finished(error.status.as_u16());
            let mut response = error.into_response();
            pace(
                response.headers_mut(),
                retry_after.as_ref(),
                *retry_after_ms,
            );
            return response;
        }
        Some(Fault::Hang { after_tokens: None }) => return hang(flight).await,
        Some(Fault::Disconnect) => {
            return respond("application/json", body::broken(Bytes::new(), flight));
        }
        _ => {}
    }
    flight.costs(reply.usage.prompt, reply.usage.completion);
    if stream {
        let token_chars = match &verdict.fault {
            Some(Fault::Huge { .. }) => HUGE_TOKEN_CHARS,
            _ => TOKEN_CHARS,
        };
        let frames = Frames::new(reply, usage, token_chars);
        let delay = Duration::from_millis(verdict.token_delay_ms);
        return respond(
            "text/event-stream",
            body::events(frames, verdict.fault, delay, flight),
        );
    }
    let mut json = completion_json(&reply);
    let half = json.len() / 2;
    match &verdict.fault {
        Some(Fault::Hang { .. }) => return hang(flight).await,
        Some(Fault::Cut { .. }) => {
            json.truncate(half);
            return respond("application/json", body::broken(json.into(), flight));
        }
        Some(Fault::MalformedChunk { .. }) => json.truncate(half),
        Some(Fault::InvalidUtf8) => body::spoil(&mut json),
        _ => {}
    }
    flight.finished(StatusCode::OK.as_u16());
    respond("application/json", json.into())
}

fn respond(content_type: &'static str, body: Body) -> Response {
    ([(CONTENT_TYPE, content_type)], body).into_response()
}

/// Until the client goes away, and this future with its connection.
async fn hang(flight: Flight) -> Response {
    std::future::pending::<()>().await;
    drop(flight);
    Response::default()
}

fn pace(headers: &mut HeaderMap, after: Option<&RetryAfter>, after_ms: Option<u64>) {
    let text = match after {
        Some(RetryAfter::Seconds(seconds)) => Some(seconds.to_string()),
        Some(RetryAfter::DateInSeconds(seconds)) => http_date(Timestamp::now(), *seconds),
        Some(RetryAfter::Text(text)) => Some(text.clone()),
        None => None,
    };
    if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(RETRY_AFTER, value);
    }
    if let Some(ms) = after_ms {
        headers.insert("retry-after-ms", ms.into());
    }
}

/// `seconds` after `now` as RFC 9110 writes dates; `None` outside of the calendar.
fn http_date(now: Timestamp, seconds: i64) -> Option<String> {
    let then = now.checked_add(SignedDuration::from_secs(seconds)).ok()?;
    jiff::fmt::rfc2822::DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&then)
        .ok()
}
