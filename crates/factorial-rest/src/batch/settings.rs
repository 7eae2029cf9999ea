//! What the members of a batch have in common, judged before any of them is read.
//!
//! Called by the submit handler. Invariant: what is judged here is judged as a task's own fields would be.

use factorial_api::{BatchSettings, FieldError, Limits, SubmitTask};
use factorial_core::OwnerId;
use factorial_service::ApiError;

use crate::{extract::Params, refusal::invalid, submission};

/// Settings that are acceptable.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) owner: OwnerId,
    pub(crate) given: BatchSettings,
}

impl Settings {
    /// Turns that each member may take; then progress is measured in turns.
    pub(crate) fn turns_each(&self) -> Option<u32> {
        self.given.limits.as_ref()?.max_turns
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
pub(crate) fn from_body(given: BatchSettings, now_ms: i64) -> Result<Settings, ApiError> {
    judge(given, now_ms).map_err(ApiError::invalid)
}

/// Settings from the query of an NDJSON submission.
///
/// # Errors
/// All wrong parameters.
pub(crate) fn from_query(mut params: Params, now_ms: i64) -> Result<Settings, ApiError> {
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
    params.finish()?;
    let given = BatchSettings {
        owner_id: owner.ok_or_else(|| invalid("owner_id", "must be given"))?,
        agent,
        priority,
        limits: (limits != Limits::default()).then_some(limits),
        stream: stream.unwrap_or_default(),
        metadata: metadata.unwrap_or_default(),
    };
    let as_parameter = |mut error: FieldError| {
        let name = error.field.rsplit('/').next().unwrap_or_default();
        error.field = name.to_owned();
        error
    };
    judge(given, now_ms)
        .map_err(|errors| ApiError::invalid(errors.into_iter().map(as_parameter).collect()))
}

/// As a task that has nothing but these.
fn judge(given: BatchSettings, now_ms: i64) -> Result<Settings, Vec<FieldError>> {
    let probe = SubmitTask {
        agent: given.agent.clone().unwrap_or_else(|| "a".to_owned()),
        owner_id: given.owner_id.clone(),
        query: Some("q".to_owned()),
        priority: given.priority,
        limits: given.limits.clone(),
        metadata: given.metadata.clone(),
        ..SubmitTask::default()
    };
    match submission::check(probe, now_ms) {
        Ok(sound) => Ok(Settings {
            owner: sound.owner,
            given,
        }),
        Err(error) => Err(error.into_field_errors()),
    }
}

fn some_text(text: &str) -> Result<String, &'static str> {
    Ok(text.to_owned())
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "must be a whole number")
}
