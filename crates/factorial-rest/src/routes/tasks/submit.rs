//! `POST /v1/tasks`

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use factorial_api::{SubmitTask, Task};
use factorial_core::{Enqueued, Idempotency, NewTask, TaskId, TaskState};
use factorial_service::{ApiError, ErrorKind};
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::{
    access::Caller,
    agents::KnownAgent,
    app::AppState,
    clock::any_partition,
    convert,
    extract::{IdempotencyKey, Json, TraceParent},
    metrics::TASKS_SUBMITTED_TOTAL,
    ownership,
    refusal::{no_task, store_error},
    submission::{self, KEEP_KEYS, Submission},
};

/// Submits a task.
///
/// Once it is answered with 201 the task is in Redis. With an `Idempotency-Key`, kept for 24 hours per owner, the same
/// request sent again is answered with 200 and the task that it made the first time.
#[utoipa::path(
    post, path = "/tasks", tag = "tasks",
    params(
        ("Idempotency-Key" = Option<String>, Header, max_length = 255, min_length = 1,
            description = "Makes it safe to send the request again: 1 to 255 visible ASCII characters"),
        ("traceparent" = Option<String>, Header,
            description = "W3C trace context that the run goes on with; ignored when it is malformed"),
    ),
    request_body = SubmitTask,
    responses(
        (status = 201, description = "The task was accepted", body = Task,
            headers(("location" = String, description = "Path of the task"))),
        (status = 200, description = "The same request was accepted before; the task as it is now", body = Task,
            headers(("location" = String, description = "Path of the task"),
                ("idempotency-replayed" = String, description = "`true`"))),
    ),
    extensions(("x-problem-codes" = json!([
        "unknown_agent", "idempotency_key_reused", "previous_task_unusable", "conversation_too_large",
        "task_not_found", "store_full",
    ]))),
)]
pub(crate) async fn submit_task(
    State(app): State<AppState>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    TraceParent(trace): TraceParent,
    Json(mut request): Json<SubmitTask>,
) -> Result<Response, ApiError> {
    ownership::or_own(&caller, &mut request.owner_id);
    let print = key.is_some().then(|| submission::fingerprint(&request));
    let fingerprint = print.transpose()?.unwrap_or_default();
    let submission = submission::check(caller.owners(), request, app.clock.now_ms())?;
    let agent = require_agent(&app, &submission).await?;
    submission.check_for(&agent)?;
    let key = key.map(|key| Idempotency::new(&submission.owner, &key, &fingerprint, KEEP_KEYS));
    let mut task = place(&app, submission, key)?;
    task.trace = trace;
    let outcome = app.store.enqueue(&task).await.map_err(store_error)?;
    let label = match &outcome {
        Enqueued::Accepted(..) => "accepted",
        Enqueued::Exists(_) => "replayed",
        _ => "refused",
    };
    metrics::counter!(TASKS_SUBMITTED_TOTAL, "outcome" => label).increment(1);
    match outcome {
        Enqueued::Accepted(state, at_ms) => {
            caller.note(&task.id, Some(&task.owner));
            Ok(answer(show(&app, &task, state, at_ms).await, false))
        }
        // Our own id: the call was repeated below us after its connection broke.
        Enqueued::Exists(id) => {
            caller.note(&id, Some(&task.owner));
            read_back(&app, &id, id != task.id).await
        }
        Enqueued::KeyReused => Err(ApiError::new(ErrorKind::IdempotencyKeyReused)),
        Enqueued::PreviousUnusable => Err(ApiError::new(ErrorKind::PreviousTaskUnusable)
            .with_detail("it does not exist, is another owner's, or has not ended")),
        Enqueued::ConversationTooLarge => Err(ApiError::new(ErrorKind::ConversationTooLarge)),
        Enqueued::ParentLost | Enqueued::TooDeep | Enqueued::TooMany | Enqueued::BatchClosed => {
            Err(ApiError::internal(
                "a task on its own was refused for its parent or its batch",
            ))
        }
    }
}

async fn require_agent(app: &AppState, submission: &Submission) -> Result<KnownAgent, ApiError> {
    let known = app.agents.find(&app.store, &submission.agent);
    if let Some(known) = known.await.map_err(store_error)? {
        return Ok(known);
    }
    let known = app.agents.all(&app.store).await.map_err(store_error)?;
    Err(ApiError::new(ErrorKind::UnknownAgent)
        .with_known_agents(known.keys().cloned().map(String::from).collect()))
}

/// A task lives where the one before it does; else where its key is kept; else anywhere.
fn place(
    app: &AppState,
    submission: Submission,
    key: Option<Idempotency>,
) -> Result<NewTask, ApiError> {
    let partitions = app.store.partitions();
    let partition = match (&submission.previous, &key) {
        (Some(previous), _) if !app.store.owns(previous) => {
            return Err(
                ApiError::new(ErrorKind::PreviousTaskUnusable).with_detail("it does not exist")
            );
        }
        (Some(previous), _) => previous.partition(),
        (None, Some(key)) => key.home(partitions),
        (None, None) => any_partition(partitions),
    };
    submission.into_task(app.clock.task_id(partition), key)
}

/// The accepted task. It was accepted, so the answer says so even when the rest cannot be read now.
async fn show(app: &AppState, new: &NewTask, state: TaskState, at_ms: i64) -> Task {
    let (task, exact) = convert::accepted(new, state, at_ms);
    if exact {
        return task;
    }
    match app.store.task(&new.id).await {
        Ok(Some(record)) => convert::task(record),
        Ok(None) => task,
        Err(error) => {
            tracing::warn!(task.id = %new.id, %error, "accepted task not read back");
            task
        }
    }
}

async fn read_back(app: &AppState, id: &TaskId, replayed: bool) -> Result<Response, ApiError> {
    match app.store.task(id).await.map_err(store_error)? {
        Some(record) => Ok(answer(convert::task(record), replayed)),
        None => {
            Err(no_task().with_detail(format!("it was accepted as {id} and has expired since")))
        }
    }
}

fn answer(task: Task, replayed: bool) -> Response {
    let location = HeaderValue::from_str(&format!("/v1/tasks/{}", task.id));
    let status = if replayed {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let mut response = (status, axum::Json(task)).into_response();
    let headers = response.headers_mut();
    // An id is ASCII, so there always is one.
    if let Ok(location) = location {
        headers.insert(header::LOCATION, location);
    }
    if replayed {
        let name = HeaderName::from_static("idempotency-replayed");
        headers.insert(name, HeaderValue::from_static("true"));
    }
    response
}
