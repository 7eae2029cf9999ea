//! `POST tasks/bulk`

use std::time::Duration;

use axum::{Json as Answer, extract::State};
use factorial_api::{
    BulkAction, BulkFilter, BulkRequest, BulkResponse, FieldError, TaskStatus, Time,
};
use factorial_core::{
    AgentName, BatchId, CancelOutcome, ListCursor, ListFilter, RetryOutcome, StoreError, TaskId,
    TaskState, WorkerId,
};
use factorial_service::ApiError;
use futures::{StreamExt, TryStreamExt, stream};

use super::{cancel::LONGEST_REASON, list::searched};
use crate::{
    access::Caller,
    app::AppState,
    convert,
    extract::{Json, open_cursor, seal_cursor},
    ownership,
    refusal::{field, invalid, store_error},
    submission::most_text,
};

/// Tasks of one call.
const MOST: usize = 1_000;
/// Of these at the same time.
const AT_ONCE: usize = 32;
/// States that can be cancelled.
const OPEN: [TaskState; 6] = [
    TaskState::Scheduled,
    TaskState::Queued,
    TaskState::Backoff,
    TaskState::PendingToolResults,
    TaskState::PendingChildTasks,
    TaskState::Processing,
];
/// States that can be run again.
const ENDED: [TaskState; 2] = [TaskState::Failed, TaskState::Cancelled];

/// Cancels many tasks, or runs them again.
///
/// Works through about 1,000 tasks and says where to go on; without a cursor in its answer all has been done. A call that
/// failed can be repeated: what it has done already is refused then.
#[utoipa::path(
    post, path = "/tasks/bulk", tag = "tasks",
    request_body = BulkRequest,
    responses((status = 200, description = "What became of this part", body = BulkResponse)),
    extensions(("x-problem-codes" = json!(["store_full"]))),
)]
pub(crate) async fn change_tasks(
    State(app): State<AppState>,
    caller: Caller,
    Json(request): Json<BulkRequest>,
) -> Result<Answer<BulkResponse>, ApiError> {
    let reason = request.reason.as_deref();
    if reason.is_some_and(|text| !most_text(text, LONGEST_REASON)) {
        return Err(invalid("/reason", "must be at most 500 characters"));
    }
    let (ids, next_cursor) = match (&request.filter, &request.ids) {
        (Some(filter), None) => found(&app, &caller, filter, &request).await?,
        (None, Some(ids)) => (named(&app, ids)?, None),
        _ => return Err(invalid("", "needs either filter or ids")),
    };
    let changes = ids.into_iter().map(|id| {
        let (app, owners) = (&app, caller.owners());
        async move {
            // A filter can name a task by its id, and so can the request.
            if !owners.are_all() {
                let owner = app.store.task_owner(&id).await?;
                if !owner.is_some_and(|owner| owners.include(&owner)) {
                    return Ok(false);
                }
            }
            change(app, request.action, &id, reason).await
        }
    });
    let changed: Vec<bool> = stream::iter(changes)
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
        .map_err(store_error)?;
    let done = changed.iter().filter(|done| **done).count() as u64;
    let refused = changed.len() as u64 - done;
    tracing::info!(action = ?request.action, done, refused, "tasks changed in bulk");
    Ok(Answer(BulkResponse {
        done,
        refused,
        next_cursor,
    }))
}

async fn change(
    app: &AppState,
    action: BulkAction,
    id: &TaskId,
    reason: Option<&str>,
) -> Result<bool, StoreError> {
    match action {
        BulkAction::Cancel => Ok(app.store.cancel(id, reason).await? == CancelOutcome::Cancelled),
        BulkAction::Retry => {
            let Some(record) = app.store.task(id).await? else {
                return Ok(false);
            };
            let limits = convert::limits_of(&record);
            let deadline = limits.and_then(|limits| limits.deadline_seconds);
            let outcome = app
                .store
                .retry(id, deadline.map(Duration::from_secs))
                .await?;
            Ok(outcome == RetryOutcome::Queued)
        }
    }
}

fn named(app: &AppState, ids: &[String]) -> Result<Vec<TaskId>, ApiError> {
    if ids.len() > MOST {
        return Err(invalid("/ids", "must be at most 1000"));
    }
    let parsed = ids.iter().enumerate().map(|(at, id)| {
        let id = id.parse::<TaskId>().ok().filter(|id| app.store.owns(id));
        id.ok_or_else(|| invalid(format!("/ids/{at}"), "is not a task id"))
    });
    parsed.collect()
}

/// The next ones that fit, and where to go on. What cannot be changed is not looked at.
async fn found(
    app: &AppState,
    caller: &Caller,
    filter: &BulkFilter,
    request: &BulkRequest,
) -> Result<(Vec<TaskId>, Option<String>), ApiError> {
    let all: &[TaskState] = match request.action {
        BulkAction::Cancel => &OPEN,
        BulkAction::Retry => &ENDED,
    };
    let filter = list_filter(caller, filter)?;
    let wanted = |state: &TaskState| filter.states.is_empty() || filter.states.contains(state);
    let states: Vec<TaskState> = all.iter().copied().filter(wanted).collect();
    if states.is_empty() {
        return Err(invalid("/filter/status", "has nothing that this changes"));
    }
    let cursor = request.cursor.as_deref();
    let cursor = cursor.map(|text| open_cursor(text, |text| text.parse::<ListCursor>().ok()));
    let cursor = cursor
        .transpose()
        .map_err(|message| invalid("/cursor", message))?;
    let agents = app.store.agent_names().await.map_err(store_error)?;
    let filter = ListFilter { states, ..filter };
    let page = app
        .store
        .list_ids(&filter, &agents, cursor.as_ref(), MOST)
        .await
        .map_err(store_error)?;
    let next = page.next.map(|next| seal_cursor(&next.to_string()));
    Ok((page.ids, next))
}

fn list_filter(caller: &Caller, filter: &BulkFilter) -> Result<ListFilter, ApiError> {
    let mut errors: Vec<FieldError> = Vec::new();
    let mut refuse = |name: &str, problem: String| {
        errors.push(field(format!("/filter/{name}"), problem));
    };
    let owner = filter.owner_id.as_deref().and_then(|text| {
        let owner = ownership::named(caller, text);
        owner
            .map_err(|problem| refuse("owner_id", problem.to_owned()))
            .ok()
    });
    let read = ListFilter {
        owners: ownership::scope(caller, owner),
        private: !caller.owners().are_all(),
        agent: filter.agent.as_deref().and_then(|text| {
            let agent = AgentName::new(text);
            agent
                .map_err(|e| refuse("agent", e.problem.to_owned()))
                .ok()
        }),
        states: filter.status.iter().copied().map(state).collect(),
        batch: filter.batch_id.as_deref().and_then(|text| {
            let batch = text.parse::<BatchId>();
            batch
                .map_err(|_| refuse("batch_id", "is not a batch id".to_owned()))
                .ok()
        }),
        text: filter
            .q
            .as_deref()
            .and_then(|text| searched(text).map_err(|e| refuse("q", e)).ok()),
        from_ms: filter.created_after.map(ms),
        before_ms: filter.created_before.map(ms),
        ended_from_ms: filter.finished_after.map(ms),
        ended_before_ms: filter.finished_before.map(ms),
        worker: filter.worker_id.as_deref().and_then(|text| {
            let worker = WorkerId::new(text);
            worker
                .map_err(|e| refuse("worker_id", e.problem.to_owned()))
                .ok()
        }),
    };
    if errors.is_empty() {
        Ok(read)
    } else {
        Err(ApiError::invalid(errors))
    }
}

fn ms(at: Time) -> u64 {
    u64::try_from(at.as_millis()).unwrap_or(0)
}

fn state(status: TaskStatus) -> TaskState {
    match status {
        TaskStatus::Scheduled => TaskState::Scheduled,
        TaskStatus::Queued => TaskState::Queued,
        TaskStatus::Processing => TaskState::Processing,
        TaskStatus::Backoff => TaskState::Backoff,
        TaskStatus::PendingToolResults => TaskState::PendingToolResults,
        TaskStatus::PendingChildTasks => TaskState::PendingChildTasks,
        TaskStatus::Completed => TaskState::Completed,
        TaskStatus::Failed => TaskState::Failed,
        TaskStatus::Cancelled => TaskState::Cancelled,
    }
}
