//! Records of tasks.

use std::{collections::BTreeMap, time::Duration};

use factorial_api::{Descendants, Failure, Limits, Task, TaskStatus, Time, Usage};
use factorial_core::{
    Failure as StoredFailure, NewTask, Start, TaskRecord, TaskState, Tree, Usage as StoredUsage,
};
use serde::Deserialize;
use serde_json::Value;

/// A task as clients see it.
pub(crate) fn task(record: TaskRecord) -> Task {
    let total = record.total_usage();
    Task {
        limits: limits_of(&record),
        id: record.id.into(),
        agent: record.agent.into(),
        owner_id: record.owner.into(),
        status: status(record.state),
        priority: record.priority.get(),
        created_at: Time::from_millis(record.created_ms),
        run_at: record.due_ms.map(Time::from_millis),
        started_at: record.started_ms.map(Time::from_millis),
        finished_at: record.finished_ms.map(Time::from_millis),
        deadline_at: record.deadline_ms.map(Time::from_millis),
        conversation_id: record.conversation.into(),
        previous_task_id: record.previous.map(String::from),
        parent_id: record.parent.map(String::from),
        root_id: record.root.map(String::from),
        depth: record.depth,
        awaiting: record.awaited,
        descendants: descendants(record.tree),
        batch_id: record.batch.map(String::from),
        turns: record.turns,
        attempts: record.attempts,
        retries: record.retries,
        recoveries: record.recoveries,
        hand_backs: record.hand_backs,
        worker_id: record.worker.map(String::from),
        pending_steering: record.steering,
        usage: usage(total),
        cost_usd_micros: record.cost_micros,
        usage_by_model: record
            .usage
            .into_iter()
            .map(|(model, tokens)| (model, usage(tokens)))
            .collect(),
        tool_calls: record.tool_calls,
        failure: record.failure.map(failure),
        cancel_reason: record.reason,
        stream: record.stream,
        metadata: record.metadata,
    }
}

/// A task that was accepted at `at_ms`, as far as that is known without asking, and whether that is all.
pub(crate) fn accepted(new: &NewTask, state: TaskState, at_ms: i64) -> (Task, bool) {
    let later = |ms: i64, delay: Duration| {
        ms.saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX))
    };
    let due_ms = match new.start {
        Start::Now => at_ms,
        Start::At(ms) => ms.max(at_ms),
        Start::After(delay) => later(at_ms, delay),
    };
    // What it goes on with is known in the store alone.
    let exact = new.previous.is_none();
    let scheduled = state == TaskState::Scheduled;
    let conversation = new.previous.as_ref().unwrap_or(&new.id);
    let id = new.id.as_str();
    let task = Task {
        id: id.to_owned(),
        agent: new.agent.as_str().to_owned(),
        owner_id: new.owner.as_str().to_owned(),
        status: status(state),
        priority: new.priority.get(),
        created_at: Time::from_millis(at_ms),
        run_at: scheduled.then(|| Time::from_millis(due_ms)),
        started_at: None,
        finished_at: None,
        deadline_at: new
            .deadline
            .map(|limit| Time::from_millis(later(due_ms, limit))),
        conversation_id: conversation.as_str().to_owned(),
        previous_task_id: new.previous.clone().map(String::from),
        parent_id: None,
        root_id: None,
        depth: 0,
        awaiting: 0,
        descendants: Descendants::default(),
        batch_id: None,
        turns: 0,
        attempts: 0,
        retries: 0,
        recoveries: 0,
        hand_backs: 0,
        worker_id: None,
        pending_steering: 0,
        usage: Usage::default(),
        cost_usd_micros: 0,
        usage_by_model: BTreeMap::new(),
        tool_calls: 0,
        failure: None,
        cancel_reason: None,
        stream: new.stream,
        limits: understood(new.limits.as_ref()),
        metadata: new.metadata.clone(),
    };
    (task, exact)
}

/// The limits that were given at submission.
pub(crate) fn limits_of(record: &TaskRecord) -> Option<Limits> {
    understood(record.limits.as_ref())
}

/// They were written by a gateway; others are not understood.
fn understood(limits: Option<&Value>) -> Option<Limits> {
    Limits::deserialize(limits?).ok()
}

/// A state as clients see it.
pub(crate) fn status(state: TaskState) -> TaskStatus {
    match state {
        TaskState::Scheduled => TaskStatus::Scheduled,
        TaskState::Queued => TaskStatus::Queued,
        TaskState::Processing => TaskStatus::Processing,
        TaskState::Backoff => TaskStatus::Backoff,
        TaskState::PendingToolResults => TaskStatus::PendingToolResults,
        TaskState::PendingChildTasks => TaskStatus::PendingChildTasks,
        TaskState::Completed => TaskStatus::Completed,
        TaskState::Failed => TaskStatus::Failed,
        TaskState::Cancelled => TaskStatus::Cancelled,
    }
}

/// Descendants that have ended, as clients see them.
pub(crate) fn descendants(tree: Tree) -> Descendants {
    Descendants {
        ended: tree.tasks,
        usage: usage(tree.usage),
        cost_usd_micros: tree.cost_micros,
    }
}

/// Tokens as clients see them.
pub(crate) fn usage(usage: StoredUsage) -> Usage {
    Usage {
        input_tokens: usage.input,
        cached_input_tokens: usage.cached_input,
        output_tokens: usage.output,
        reasoning_tokens: usage.reasoning,
    }
}

/// A failure as clients see it.
pub(crate) fn failure(failure: StoredFailure) -> Failure {
    Failure {
        kind: failure.kind,
        message: failure.message,
        provider_status: failure.status,
    }
}
