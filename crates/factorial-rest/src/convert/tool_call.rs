//! Calls that are answered from outside.

use factorial_api::{AskedCall, Asks, AwaitedCall, Time, ToolCallOutcome, ToolCallStatus};
use factorial_core::{
    Asked, Entry, ToolCall, Wait, WaitKey, WaitKind, WaitOutcome, WaitStatus, WaitSubject,
};
use serde_json::Value;

/// A wait as clients see it, with the reply that makes its call; `None` for a child, which the tree shows.
pub(crate) fn awaited_call(wait: &Wait, reply: &Entry) -> Option<AwaitedCall> {
    let (asks, id) = (asks(wait.kind)?, call_id(&wait.key)?);
    let call = call_of(reply, id)?;
    let mut shown = AwaitedCall {
        call_id: id.to_owned(),
        tool: call.name.clone(),
        arguments: arguments(call),
        asks,
        status: ToolCallStatus::Answered,
        outcome: None,
        asked_at: None,
        expires_at: None,
        answered_at: None,
        agent_version: version(wait),
    };
    match &wait.status {
        WaitStatus::Open {
            asked_ms,
            deadline_ms,
        } => {
            shown.status = ToolCallStatus::Open;
            shown.asked_at = Some(Time::from_millis(*asked_ms));
            shown.expires_at = deadline_ms.map(Time::from_millis);
        }
        WaitStatus::Answered { outcome, at_ms, .. } | WaitStatus::Taken { outcome, at_ms } => {
            shown.outcome = Some(answered(*outcome)?);
            shown.answered_at = Some(Time::from_millis(*at_ms));
        }
    }
    Some(shown)
}

/// A call that waits for an operator, while it is open.
pub(crate) fn asked_call(asked: Asked, wait: &Wait, reply: &Entry) -> Option<AskedCall> {
    let WaitStatus::Open { deadline_ms, .. } = wait.status else {
        return None;
    };
    let id = call_id(&wait.key)?;
    let call = call_of(reply, id)?;
    Some(AskedCall {
        task_id: asked.task.into(),
        call_id: id.to_owned(),
        agent: asked.agent.into(),
        agent_version: version(wait),
        owner_id: asked.owner.into(),
        tool: call.name.clone(),
        arguments: arguments(call),
        asked_at: Time::from_millis(asked.asked_ms),
        expires_at: deadline_ms.map(Time::from_millis),
    })
}

/// A call that a reply makes.
pub(crate) fn call_of<'a>(reply: &'a Entry, id: &str) -> Option<&'a ToolCall> {
    match reply {
        Entry::Reply { tool_calls, .. } => tool_calls.iter().find(|call| call.id == id),
        _ => None,
    }
}

/// The reply that makes the call that is awaited; `None` for a child.
pub(crate) fn reply_of(wait: &Wait) -> Option<u64> {
    match wait.subject {
        WaitSubject::Call { entry, .. } => Some(entry),
        WaitSubject::Child(_) => None,
    }
}

/// How a call is answered, for the store.
pub(crate) fn wait_outcome(outcome: ToolCallOutcome) -> WaitOutcome {
    match outcome {
        ToolCallOutcome::Result => WaitOutcome::Result,
        ToolCallOutcome::Error => WaitOutcome::Error,
        ToolCallOutcome::Approved => WaitOutcome::Approved,
        ToolCallOutcome::Denied => WaitOutcome::Denied,
        ToolCallOutcome::Timeout => WaitOutcome::Timeout,
        ToolCallOutcome::Interrupted => WaitOutcome::Interrupted,
        ToolCallOutcome::Closed => WaitOutcome::Closed,
    }
}

fn answered(outcome: WaitOutcome) -> Option<ToolCallOutcome> {
    Some(match outcome {
        WaitOutcome::Result => ToolCallOutcome::Result,
        WaitOutcome::Error => ToolCallOutcome::Error,
        WaitOutcome::Approved => ToolCallOutcome::Approved,
        WaitOutcome::Denied => ToolCallOutcome::Denied,
        WaitOutcome::Timeout => ToolCallOutcome::Timeout,
        WaitOutcome::Interrupted => ToolCallOutcome::Interrupted,
        WaitOutcome::Closed => ToolCallOutcome::Closed,
        WaitOutcome::Completed | WaitOutcome::Failed | WaitOutcome::Cancelled => return None,
    })
}

fn asks(kind: WaitKind) -> Option<Asks> {
    match kind {
        WaitKind::Caller => Some(Asks::Caller),
        WaitKind::Operator => Some(Asks::Operator),
        WaitKind::Approval => Some(Asks::Approval),
        WaitKind::Child => None,
    }
}

fn call_id(key: &WaitKey) -> Option<&str> {
    match key {
        WaitKey::Call(call) | WaitKey::Approval(call) => Some(call),
        WaitKey::Child(..) => None,
    }
}

fn version(wait: &Wait) -> Option<String> {
    match &wait.subject {
        WaitSubject::Call { version, .. } => version.clone(),
        WaitSubject::Child(_) => None,
    }
}

/// Models write what they like.
fn arguments(call: &ToolCall) -> Value {
    serde_json::from_str(&call.arguments).unwrap_or_else(|_| Value::String(call.arguments.clone()))
}
