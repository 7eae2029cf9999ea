//! `POST /v1/batches`

use std::sync::Arc;

use axum::{
    Extension,
    extract::{FromRequest, Request, State},
    response::{IntoResponse, Response},
};
use factorial_api::{Batch, SubmitBatch};
use factorial_service::{ApiError, ErrorKind};
use http::{HeaderName, HeaderValue, StatusCode, header};
use tracing::Instrument;

use crate::{
    access::Caller,
    app::AppState,
    batch::{Filled, Intake, Lines, Prepared, Settings, fill, from_body, from_query},
    convert,
    extract::{IdempotencyKey, Json, Params, has_media_type},
    layers::Slot,
    metrics::{BATCHES_SUBMITTED_TOTAL, REQUESTS_SHED_TOTAL},
    refusal::store_error,
};

const NDJSON: [&str; 3] = [
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
];
/// What is stored is a little longer than the line that it comes from.
const ENVELOPE: u64 = 1024;

/// Submits a batch of tasks.
///
/// As JSON, with all members in one body. Or as NDJSON, one member a line, with the batch's own settings as query
/// parameters: up to 100,000 members, which are checked as they arrive. Nothing is accepted unless all members are
/// acceptable; `invalid_batch` names the first 20 problems and says how many lines are wrong.
///
/// Then all are accepted. When the store fails on the way, `batch_incomplete` says how many members were accepted. With an
/// `Idempotency-Key`, kept for 24 hours per owner, the same request goes on where the first one stopped, and is answered
/// with 200 and the batch when it was complete. Without a key, the members that were accepted are cancelled.
#[utoipa::path(
    post, path = "/batches", tag = "batches",
    params(
        ("Idempotency-Key" = Option<String>, Header, max_length = 255, min_length = 1,
            description = "Makes it safe to send the request again: 1 to 255 visible ASCII characters"),
        ("owner_id" = Option<String>, Query, description = "Of NDJSON, and required there: whose batch it is"),
        ("agent" = Option<String>, Query, description = "Of NDJSON: agent of the members that name none"),
        ("priority" = Option<u8>, Query, minimum = 0, maximum = 9, description = "Of NDJSON: priority of the members that name none"),
        ("max_turns" = Option<u32>, Query, minimum = 1, maximum = 10000,
            description = "Of NDJSON: turns that each member may take; progress is then measured in turns"),
        ("max_total_tokens" = Option<u64>, Query, minimum = 1, description = "Of NDJSON: tokens that each member may use"),
        ("max_tool_calls" = Option<u32>, Query, description = "Of NDJSON: tool calls that each member may make"),
        ("deadline_seconds" = Option<u64>, Query, minimum = 1, description = "Of NDJSON: wall-clock limit of each member"),
        ("stream" = Option<bool>, Query, description = "Of NDJSON: keeps the text of members as it comes"),
        ("webhook_url" = Option<String>, Query, description = "Of NDJSON: URL of the webhook of the batch; it is signed with the owner's secret"),
        ("webhook_event_types" = Option<String>, Query, description = "Of NDJSON: what it is told of, separated by commas"),
        ("metadata" = Option<String>, Query, description = "Of NDJSON: labels of the batch, as a JSON object"),
    ),
    request_body(description = "The batch, or its members", content(
        (SubmitBatch = "application/json"), (factorial_api::BatchMember = "application/x-ndjson"),
    )),
    responses(
        (status = 201, description = "All members were accepted", body = Batch,
            headers(("location" = String, description = "Path of the batch"))),
        (status = 200, description = "The same request had been accepted before; the batch as it is now", body = Batch,
            headers(("location" = String, description = "Path of the batch"),
                ("idempotency-replayed" = String, description = "`true`"))),
    ),
    extensions(("x-problem-codes" = json!([
        "invalid_batch", "idempotency_key_reused", "batch_not_found", "batch_closed", "batch_incomplete", "store_full",
    ]))),
)]
pub(crate) async fn submit_batch(
    State(app): State<AppState>,
    caller: Caller,
    Extension(slot): Extension<Slot>,
    IdempotencyKey(key): IdempotencyKey,
    params: Params,
    request: Request,
) -> Result<Response, ApiError> {
    let Ok(permit) = Arc::clone(&app.uploads).try_acquire_owned() else {
        metrics::counter!(REQUESTS_SHED_TOTAL, "budget" => "uploads").increment(1);
        return Err(ApiError::new(ErrorKind::Overloaded));
    };
    let prepared = if has_media_type(request.headers(), &NDJSON) {
        let settings = from_query(&caller, params, app.clock.now_ms())?;
        lines(&app, &caller, settings, request).await
    } else {
        params.finish()?;
        document(&app, &caller, request).await
    };
    let prepared = prepared.inspect_err(|_| count("refused"))?;
    // It has arrived: what becomes of it does not depend on its client any more.
    let filling = tokio::spawn(
        async move {
            let _held = (slot, permit);
            fill(&app, prepared, key).await
        }
        .in_current_span(),
    );
    let filled = filling.await.map_err(ApiError::internal)?;
    count(match &filled {
        Ok(filled) if filled.replayed => "replayed",
        Ok(_) => "accepted",
        Err(error) if error.kind() == ErrorKind::IdempotencyKeyReused => "refused",
        Err(_) => "incomplete",
    });
    let filled = filled?;
    caller.note(&filled.record.id, Some(&filled.record.owner));
    Ok(answer(filled))
}

async fn document(app: &AppState, caller: &Caller, request: Request) -> Result<Prepared, ApiError> {
    let Json(body) = Json::<SubmitBatch>::from_request(request, app).await?;
    let (settings, members) = body.split();
    let settings = from_body(caller, settings, app.clock.now_ms())?;
    let mut intake = intake(app, settings, app.max_body_bytes).await?;
    for member in members {
        intake.member(member).await?;
    }
    intake.finish()
}

async fn lines(
    app: &AppState,
    caller: &Caller,
    settings: Settings,
    request: Request,
) -> Result<Prepared, ApiError> {
    let storable = app.store.max_conversation_bytes().saturating_sub(ENVELOPE);
    let longest = usize::try_from(storable).unwrap_or(usize::MAX);
    let longest = longest.min(app.max_body_bytes);
    let most = caller.identity().max_body_bytes;
    let most = most.map_or(app.max_batch_bytes, |own| {
        app.max_batch_bytes.min(own as u64)
    });
    let mut intake = intake(app, settings, longest).await?;
    let (head, body) = request.into_parts();
    let mut lines = Lines::new(&head.headers, body, most, longest)?;
    let taken = async {
        while let Some((number, line)) = lines.next().await? {
            intake.line(number, &line).await?;
        }
        Ok(())
    };
    match taken.await {
        Ok(()) => intake.finish(),
        Err(error) => {
            lines.discard().await;
            Err(error)
        }
    }
}

async fn intake(app: &AppState, settings: Settings, longest: usize) -> Result<Intake, ApiError> {
    let agents = app.agents.all(&app.store).await.map_err(store_error)?;
    Intake::new(settings, agents, app.clock.now_ms(), longest)
}

fn count(outcome: &'static str) {
    metrics::counter!(BATCHES_SUBMITTED_TOTAL, "outcome" => outcome).increment(1);
}

fn answer(filled: Filled) -> Response {
    let batch: Batch = convert::batch(filled.record);
    let location = HeaderValue::from_str(&format!("/v1/batches/{}", batch.id));
    let status = if filled.replayed {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let mut response = (status, axum::Json(batch)).into_response();
    let headers = response.headers_mut();
    // An id is ASCII, so there always is one.
    if let Ok(location) = location {
        headers.insert(header::LOCATION, location);
    }
    if filled.replayed {
        let name = HeaderName::from_static("idempotency-replayed");
        headers.insert(name, HeaderValue::from_static("true"));
    }
    response
}
