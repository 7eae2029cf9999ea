//! Judges a submission as a whole and turns it into what the store takes.
//!
//! Called by the submit handler. Invariant: a submission that passes is accepted by the store unless state forbids it.

use std::{collections::BTreeMap, time::Duration};

use factorial_api::{InputMessage, InputRole, Limits, SubmitTask};
use factorial_core::{
    AgentName, Entry, Idempotency, InputMessage as StoredMessage, NewTask, OwnerId, Owners,
    Priority, Start, TaskId, TaskWebhook,
};
use factorial_service::ApiError;

use super::{
    bounds::{
        Checks, FURTHEST_MS, LONGEST_DEADLINE_SECONDS, LONGEST_LABEL, LONGEST_LABEL_KEY,
        MOST_LABELS, MOST_MESSAGES, MOST_TOKENS, MOST_TOOL_CALLS, MOST_TURNS, most_text, role,
    },
    tools::{check_tools, taken_names},
    webhook,
};
use crate::agents::KnownAgent;

/// A submission that is acceptable in itself.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(crate) agent: AgentName,
    pub(crate) owner: OwnerId,
    pub(crate) previous: Option<TaskId>,
    priority: Priority,
    start: Start,
    webhook: Option<TaskWebhook>,
    request: SubmitTask,
}

impl Submission {
    /// Its events are told to the webhook of its batch, unless it has one of its own.
    pub(crate) fn or_webhook_of_batch(mut self) -> Self {
        self.webhook.get_or_insert(TaskWebhook::OfBatch);
        self
    }

    /// Judges what depends on the agent: the names of tools, and the context.
    ///
    /// # Errors
    /// All wrong fields at once.
    pub(crate) fn check_for(&self, agent: &KnownAgent) -> Result<(), ApiError> {
        let mut errors = taken_names(&self.request.tools, &agent.tools);
        if let Some(schema) = &agent.context {
            errors.extend(schema.wrong_fields(self.request.context.as_ref()));
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(ApiError::invalid(errors))
        }
    }
}

/// Judges everything; `owners` are those that may be named, `now_ms` bounds how far ahead a start may be.
///
/// # Errors
/// All wrong fields at once.
pub(crate) fn check(
    owners: &Owners,
    request: SubmitTask,
    now_ms: i64,
) -> Result<Submission, ApiError> {
    let mut checks = Checks::default();
    let agent = checks.name(AgentName::new(&request.agent), "/agent");
    let owner = checks.owner(owners, &request.owner_id);
    let priority = match request.priority {
        Some(number) => checks.name(Priority::try_from(number), "/priority"),
        None => Some(Priority::DEFAULT),
    };
    let previous = request.previous_task_id.as_deref().map(str::parse);
    let previous = previous.map(|id| checks.name(id, "/previous_task_id"));
    check_input(&request, &mut checks);
    check_metadata(&request.metadata, &mut checks);
    check_tools(&request.tools, &mut checks);
    if let Some(limits) = &request.limits {
        check_limits(limits, &mut checks);
    }
    let webhook = request.webhook.as_ref().map(|given| {
        let told = webhook::Kind::Task;
        webhook::check(given, told, "/webhook", &mut checks).map(TaskWebhook::Own)
    });
    let start = start(&request, now_ms, &mut checks);
    checks.finish()?;
    match (agent, owner, priority, start) {
        (Some(agent), Some(owner), Some(priority), Some(start)) => Ok(Submission {
            agent,
            owner,
            previous: previous.flatten(),
            priority,
            start,
            webhook: webhook.flatten(),
            request,
        }),
        _ => Err(ApiError::internal("a wrong field was not reported")),
    }
}

fn check_input(request: &SubmitTask, checks: &mut Checks) {
    checks.require(
        request.messages.len() <= MOST_MESSAGES,
        "/messages",
        "must be at most 1000",
    );
    for (index, message) in request.messages.iter().enumerate().take(MOST_MESSAGES) {
        checks.require(
            !message.content.is_empty(),
            format!("/messages/{index}/content"),
            "must not be empty",
        );
    }
    let asks = |last: &InputMessage| last.role == InputRole::User;
    match &request.query {
        Some(query) => checks.require(!query.is_empty(), "/query", "must not be empty"),
        None => checks.require(
            request.messages.last().is_some_and(asks),
            "/query",
            "must be given, unless messages end with one of the user",
        ),
    }
}

fn check_metadata(metadata: &BTreeMap<String, String>, checks: &mut Checks) {
    checks.require(
        metadata.len() <= MOST_LABELS,
        "/metadata",
        "must be at most 32 labels",
    );
    checks.require(
        metadata
            .keys()
            .all(|key| !key.is_empty() && most_text(key, LONGEST_LABEL_KEY)),
        "/metadata",
        "keys must be 1 to 64 characters",
    );
    checks.require(
        metadata
            .values()
            .all(|value| most_text(value, LONGEST_LABEL)),
        "/metadata",
        "values must be at most 512 characters",
    );
}

fn check_limits(limits: &Limits, checks: &mut Checks) {
    checks.range(limits.max_turns, "/limits/max_turns", 1, MOST_TURNS);
    checks.range(
        limits.max_total_tokens,
        "/limits/max_total_tokens",
        1,
        MOST_TOKENS,
    );
    checks.range(
        limits.max_tool_calls,
        "/limits/max_tool_calls",
        0,
        MOST_TOOL_CALLS,
    );
    checks.range(
        limits.deadline_seconds,
        "/limits/deadline_seconds",
        1,
        LONGEST_DEADLINE_SECONDS,
    );
}

/// An instant that has passed means now; the store compares it with the clock of Redis.
fn start(request: &SubmitTask, now_ms: i64, checks: &mut Checks) -> Option<Start> {
    let furthest_seconds = FURTHEST_MS as f64 / 1000.0;
    match (request.run_at, request.delay_seconds) {
        (Some(_), Some(_)) => {
            checks.require(false, "/run_at", "excludes delay_seconds");
            None
        }
        (Some(at), None) => {
            let ahead = at.as_millis().saturating_sub(now_ms);
            checks.require(
                ahead <= FURTHEST_MS,
                "/run_at",
                "must be at most 365 days ahead",
            );
            Some(Start::At(at.as_millis()))
        }
        (None, Some(seconds)) => {
            let sound = (0.0..=furthest_seconds).contains(&seconds);
            checks.require(sound, "/delay_seconds", "must be 0 to 31536000 (365 days)");
            let delay = Duration::try_from_secs_f64(seconds).ok()?;
            Some(if delay.as_millis() == 0 {
                Start::Now
            } else {
                Start::After(delay)
            })
        }
        (None, None) => Some(Start::Now),
    }
}

impl Submission {
    /// The task for the store.
    ///
    /// # Errors
    /// When the limits or the tools cannot be written, which no such do.
    pub(crate) fn into_task(
        self,
        id: TaskId,
        idempotency: Option<Idempotency>,
    ) -> Result<NewTask, ApiError> {
        let request = self.request;
        let deadline = request
            .limits
            .as_ref()
            .and_then(|limits| limits.deadline_seconds);
        let limits = request
            .limits
            .filter(|limits| *limits != Limits::default())
            .map(serde_json::to_value)
            .transpose()
            .map_err(ApiError::internal)?;
        let tools = (!request.tools.is_empty())
            .then(|| serde_json::to_value(&request.tools))
            .transpose()
            .map_err(ApiError::internal)?;
        let messages = request.messages.into_iter().map(|message| StoredMessage {
            role: role(message.role),
            content: message.content,
        });
        Ok(NewTask {
            id,
            agent: self.agent,
            owner: self.owner,
            priority: self.priority,
            start: self.start,
            input: Entry::Input {
                messages: messages.collect(),
                query: request.query,
                context: request.context,
            },
            previous: self.previous,
            parent: None,
            batch: None,
            stream: request.stream,
            deadline: deadline.map(Duration::from_secs),
            limits,
            metadata: request.metadata,
            tools,
            webhook: self.webhook,
            trace: None,
            idempotency,
        })
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "tests")]
mod tests {
    use factorial_api::Time;
    use serde_json::{Value, json};

    use super::*;

    const NOW_MS: i64 = 1_700_000_000_000;

    fn judged(change: &Value) -> Result<Submission, String> {
        let mut request = json!({"agent": "a", "owner_id": "o", "query": "q"});
        for (name, value) in change.as_object().expect("an object") {
            request[name] = value.clone();
        }
        let request: SubmitTask = serde_json::from_value(request).expect("a submission");
        check(&Owners::All, request, NOW_MS).map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn bounds_are_inclusive() {
        let year = 365 * 24 * 3600;
        let at = |ahead: i64| json!(Time::from_millis(NOW_MS + ahead).to_string());
        for (field, good, bad) in [
            ("priority", json!(9), json!(10)),
            ("delay_seconds", json!(year), json!(year + 1)),
            ("delay_seconds", json!(0), json!(-1)),
            ("run_at", at(FURTHEST_MS), at(FURTHEST_MS + 1)),
            (
                "limits",
                json!({"max_turns": 10_000}),
                json!({"max_turns": 10_001}),
            ),
            ("limits", json!({"max_turns": 1}), json!({"max_turns": 0})),
            (
                "limits",
                json!({"deadline_seconds": 2_592_000}),
                json!({"deadline_seconds": 2_592_001}),
            ),
            (
                "metadata",
                json!({"k": "é".repeat(512)}),
                json!({"k": "é".repeat(513)}),
            ),
            ("metadata", json!({"é".repeat(64): ""}), json!({"": ""})),
            ("query", json!("\u{0}"), json!("")),
            ("owner_id", json!("a|b@c"), json!("a}:b")),
            ("agent", json!("a-1"), json!("q:*")),
        ] {
            assert!(judged(&json!({ field: good })).is_ok(), "{field} {good}");
            let refused = judged(&json!({ field: bad })).expect_err("out of bounds");
            assert!(refused.contains(&format!("/{field}")), "{field}: {refused}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let refused = judged(&json!({
            "agent": "A", "owner_id": "", "query": null, "priority": 77, "run_at": "2030-01-01T00:00:00Z",
            "delay_seconds": 1, "previous_task_id": "x", "limits": {"max_turns": 0},
        }))
        .expect_err("wrong");
        for pointer in [
            "/agent",
            "/owner_id",
            "/query",
            "/priority",
            "/run_at",
            "/previous_task_id",
            "/limits/max_turns",
        ] {
            assert!(
                refused.contains(&format!("\"{pointer}\"")),
                "{pointer}: {refused}"
            );
        }
    }

    #[test]
    fn a_question_may_be_the_last_message() {
        let with = |role: &str| {
            judged(&json!({"query": null, "messages": [{"role": role, "content": "c"}]}))
        };
        assert!(with("user").is_ok());
        assert!(with("assistant").is_err());
        assert!(judged(&json!({"query": null})).is_err());
    }

    #[test]
    fn what_has_passed_is_left_to_the_clock_of_redis() {
        let start = judged(&json!({"run_at": "1999-01-01T00:00:00Z"})).map(|s| s.start);
        assert!(matches!(start, Ok(Start::At(ms)) if ms < NOW_MS));
        let start = judged(&json!({"delay_seconds": 0.0001})).map(|s| s.start);
        assert_eq!(start, Ok(Start::Now));
    }
}
