//! What the members of a batch have in common, judged before any of them is read.
//!
//! Called by the submit handler. Invariant: what is judged here is judged as a task's own fields would be.

use factorial_api::{BatchSettings, FieldError, Limits, SubmitTask, TaskWebhook, WebhookEventType};
use factorial_core::{OwnerId, Receiver};
use factorial_service::ApiError;

use crate::{access::Caller, extract::Params, ownership, refusal::invalid, submission};

/// Settings that are acceptable.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) owner: OwnerId,
    pub(crate) given: BatchSettings,
    pub(crate) webhook: Option<Receiver>,
}

impl Settings {
    /// Turns that each member may take; then progress is measured in turns.
    pub(crate) fn turns_each(&self) -> Option<u32> {
        self.given.limits.as_ref()?.max_turns
    }

    /// Whether the webhook of the batch is told of what happens to its members.
    pub(crate) fn tells_of_members(&self) -> bool {
        let events = self.webhook.as_ref().map(|webhook| &webhook.events);
        events.is_some_and(|e| e.is_empty() || e.iter().any(|event| !event.is_of_batch()))
    }

    /// What tells two batches with the same lines apart.
    ///
    /// # Errors
    /// When it cannot be written, which no settings do.
    pub(crate) fn fingerprint(&self) -> Result<Vec<u8>, ApiError> {
        let mut value = serde_json::to_value(&self.given).map_err(ApiError::internal)?;
        value.sort_all_objects();
        Ok(value.to_string().into_bytes())
    }
}

/// Settings from a JSON body.
///
/// # Errors
/// All wrong fields, as pointers into the body.
pub(crate) fn from_body(
    caller: &Caller,
    given: BatchSettings,
    now_ms: i64,
) -> Result<Settings, ApiError> {
    judge(caller, given, now_ms).map_err(ApiError::invalid)
}

/// Settings from the query of an NDJSON submission.
///
/// # Errors
/// All wrong parameters.
pub(crate) fn from_query(
    caller: &Caller,
    mut params: Params,
    now_ms: i64,
) -> Result<Settings, ApiError> {
    let owner = params.take("owner_id", some_text);
    let agent = params.take("agent", some_text);
    let priority = params.take("priority", number);
    let limits = Limits {
        max_turns: params.take("max_turns", number),
        max_total_tokens: params.take("max_total_tokens", number),
        max_tool_calls: params.take("max_tool_calls", number),
        deadline_seconds: params.take("deadline_seconds", number),
    };
    let stream = params.take("stream", |text| {
        text.parse().map_err(|_| "must be true or false")
    });
    let metadata = params.take("metadata", |text| {
        serde_json::from_str(text).map_err(|_| "must be a JSON object of texts")
    });
    let webhook_url = params.take("webhook_url", submission::check_webhook_url);
    let event_types = params.take("webhook_event_types", event_types);
    params.finish()?;
    if webhook_url.is_none() && event_types.is_some() {
        return Err(invalid("webhook_event_types", "needs a webhook_url"));
    }
    let given = BatchSettings {
        owner_id: match owner {
            Some(owner) => owner,
            None => ownership::required(caller, None)?.into(),
        },
        agent,
        priority,
        limits: (limits != Limits::default()).then_some(limits),
        stream: stream.unwrap_or_default(),
        webhook: webhook_url.map(|url| TaskWebhook {
            url,
            event_types: event_types.unwrap_or_default(),
            secret: None,
        }),
        metadata: metadata.unwrap_or_default(),
    };
    let as_parameter = |mut error: FieldError| {
        let name = error.field.rsplit('/').next().unwrap_or_default();
        error.field = name.to_owned();
        error
    };
    judge(caller, given, now_ms)
        .map_err(|errors| ApiError::invalid(errors.into_iter().map(as_parameter).collect()))
}

/// As a task that has nothing but these.
fn judge(
    caller: &Caller,
    mut given: BatchSettings,
    now_ms: i64,
) -> Result<Settings, Vec<FieldError>> {
    ownership::or_own(caller, &mut given.owner_id);
    let probe = SubmitTask {
        agent: given.agent.clone().unwrap_or_else(|| "a".to_owned()),
        owner_id: given.owner_id.clone(),
        query: Some("q".to_owned()),
        priority: given.priority,
        limits: given.limits.clone(),
        metadata: given.metadata.clone(),
        ..SubmitTask::default()
    };
    let sound = submission::check(caller.owners(), probe, now_ms);
    let webhook = given.webhook.as_ref();
    let webhook = webhook.map(submission::check_batch_webhook).transpose();
    match (sound, webhook) {
        (Ok(sound), Ok(webhook)) => Ok(Settings {
            owner: sound.owner,
            given,
            webhook,
        }),
        (sound, webhook) => {
            let errors = [sound.err(), webhook.err()].into_iter().flatten();
            Err(errors.flat_map(ApiError::into_field_errors).collect())
        }
    }
}

fn event_types(text: &str) -> Result<Vec<WebhookEventType>, &'static str> {
    let known = |name: &str| {
        let mut all = WebhookEventType::ALL.into_iter();
        all.find(|known| known.as_str() == name)
    };
    let types: Option<Vec<_>> = text.split(',').map(known).collect();
    types.ok_or("must be types of events that webhooks are told of, separated by commas")
}

fn some_text(text: &str) -> Result<String, &'static str> {
    Ok(text.to_owned())
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "must be a whole number")
}
