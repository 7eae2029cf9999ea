//! Child tasks of a call: what they are asked, and what their ends give the model.
//!
//! Pure; called by the plan of a turn. Invariant: results stand in the order of the list that the model wrote.

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;

use serde_json::{Map, Value, json};

use super::{answers, waits::Made};
use crate::{
    ToolError, WaitOutcome,
    definition::AgentToolDefinition,
    tool::{MAX_RESULT_BYTES, Outcome, ToolErrorKind, cut},
};

/// How one child ended, as far as its parent is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum End<'a> {
    Answered(WaitOutcome, &'a Value),
    Refused(&'static str, &'a str),
}

/// One query for each child of a call.
pub(super) fn queries(tool: &AgentToolDefinition, args: &Value) -> Result<Vec<String>, ToolError> {
    let invalid = |message| Err(ToolError::new(ToolErrorKind::InvalidArguments, message));
    let Some(list) = &tool.fan_out else {
        return Ok(vec![query(args)]);
    };
    let Some(items) = args.get(list).and_then(Value::as_array) else {
        return invalid(format!("`{list}` must be a list"));
    };
    let most = tool.max_children();
    if items.len() > usize::try_from(most).unwrap_or(usize::MAX) {
        let count = items.len();
        return invalid(format!(
            "`{list}` has {count} items; at most {most} are allowed"
        ));
    }
    Ok(items.iter().map(query).collect())
}

/// A text as it is, the `query` of an object, or JSON.
fn query(value: &Value) -> String {
    match value.get("query").unwrap_or(value) {
        Value::String(query) => query.clone(),
        _ => value.to_string(),
    }
}

/// The result of a call with one child.
pub(super) fn one(end: End<'_>) -> Outcome {
    match end {
        End::Answered(WaitOutcome::Completed, payload) => {
            Outcome::ok(answers::text(payload.get("output").unwrap_or(&Value::Null)))
        }
        End::Answered(WaitOutcome::Failed, payload) => {
            let failure = payload.get("failure").unwrap_or(&Value::Null);
            let kind = answers::said(failure, "kind").unwrap_or("unknown");
            let message = answers::said(failure, "message").unwrap_or("no reason was given");
            Outcome::error(ToolErrorKind::ChildFailed, format!("{kind}: {message}"))
        }
        End::Answered(WaitOutcome::Cancelled, payload) => {
            let message = match answers::said(payload, "reason") {
                Some(reason) => format!("the task was cancelled: {reason}"),
                None => "the task was cancelled".to_owned(),
            };
            Outcome::error(ToolErrorKind::ChildCancelled, message)
        }
        End::Answered(other, _) => answers::ended(other),
        End::Refused(kind, message) => {
            Outcome::error(ToolErrorKind::ChildRefused, format!("{kind}: {message}"))
        }
    }
}

/// The result of a call with a list of children: a JSON array. An error if none of them completed.
pub(super) fn many(ends: &[End<'_>]) -> Outcome {
    let sizes: Vec<usize> = ends.iter().map(size).collect();
    // An array that is cut off is no array: long outputs are cut until the whole fits, short ones stay as they are.
    let mut limit = MAX_RESULT_BYTES;
    let whole = |limit: usize| sizes.iter().map(|size| *size.min(&limit)).sum::<usize>();
    while whole(limit) > MAX_RESULT_BYTES && limit > 1 {
        limit /= 2;
    }
    let array = |limit| Value::Array(ends.iter().map(|end| item(end, limit)).collect()).to_string();
    let mut content = array(limit);
    while content.len() > MAX_RESULT_BYTES && limit > 1 {
        limit /= 2;
        content = array(limit);
    }
    let completed = |end: &End<'_>| matches!(end, End::Answered(WaitOutcome::Completed, _));
    let error = match ends.first() {
        Some(first) if !ends.iter().any(completed) => one(*first).error,
        _ => None,
    };
    Outcome {
        error,
        ..Outcome::ok(content)
    }
}

/// About how many bytes the longest text of a child has.
fn size(end: &End<'_>) -> usize {
    match end {
        End::Answered(WaitOutcome::Completed, payload) => match payload.get("output") {
            Some(Value::String(text)) => text.len(),
            Some(other) => other.to_string().len(),
            None => 0,
        },
        End::Answered(_, payload) => payload.to_string().len(),
        End::Refused(_, message) => message.len(),
    }
}

/// One child in the array; texts of at most `limit` bytes.
fn item(end: &End<'_>, limit: usize) -> Value {
    let mut item = Map::new();
    let (status, detail) = match end {
        End::Answered(WaitOutcome::Completed, payload) => {
            let output = payload.get("output").unwrap_or(&Value::Null);
            let output = match output {
                Value::String(text) => cut(text, limit).into(),
                other if size(end) > limit => cut(&other.to_string(), limit).into(),
                other => other.clone(),
            };
            ("completed", Some(("output", output)))
        }
        End::Answered(WaitOutcome::Failed, payload) => {
            let failure = payload.get("failure").unwrap_or(&Value::Null);
            let said = |key| cut(answers::said(failure, key).unwrap_or(""), limit);
            let failure = json!({"kind": said("kind"), "message": said("message")});
            ("failed", Some(("failure", failure)))
        }
        End::Answered(outcome, payload) => {
            let reason = answers::said(payload, "reason");
            let reason = reason.map(|reason| cut(reason, limit).into());
            (outcome.as_str(), reason.map(|reason| ("reason", reason)))
        }
        End::Refused(kind, message) => {
            let failure = json!({"kind": kind, "message": message});
            ("refused", Some(("failure", failure)))
        }
    };
    item.insert("status".to_owned(), status.into());
    if let Some((key, value)) = detail {
        item.insert(key.to_owned(), value);
    }
    Value::Object(item)
}

/// The result of a call that does not wait: the task ids. An error if there is not one.
pub(super) fn ids(list: bool, made: &[&Made]) -> Outcome {
    if let ([Made::Refused(kind, message)], false) = (made, list) {
        return one(End::Refused(kind, message));
    }
    let mut ids = Vec::new();
    let mut refused = Vec::new();
    for (index, made) in made.iter().enumerate() {
        match made {
            Made::Accepted(id) => ids.push(id),
            Made::Refused(kind, message) => {
                refused.push(json!({"index": index, "kind": kind, "message": message}));
            }
        }
    }
    if let ([id], false) = (ids.as_slice(), list) {
        return Outcome::ok(json!({"task_id": id}).to_string());
    }
    let none = ids.is_empty() && !refused.is_empty();
    let mut result = json!({"task_ids": ids});
    if !refused.is_empty() {
        result["refused"] = refused.into();
    }
    Outcome {
        error: none.then_some(ToolErrorKind::ChildRefused),
        ..Outcome::ok(result.to_string())
    }
}
