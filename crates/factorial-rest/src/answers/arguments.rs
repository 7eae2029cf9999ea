//! Arguments that a person has edited, judged before they are approved.
//!
//! The worker judges them again, with the definition that it runs. Invariant: what is refused here would be refused
//! there; what is not known here is left to it.

use factorial_api::FieldError;
use factorial_core::{AgentName, OwnerId, TaskId, Wait, WaitKey, WaitSubject};
use factorial_service::ApiError;
use serde_json::{Map, Value};

use super::bounds::require_small;
use crate::{
    app::AppState, convert::call_of, ownership::owned, refusal::store_error, schema::wrong_fields,
};

/// Judges the arguments by the schema that the agent has announced, if it is of the version that asks.
///
/// # Errors
/// What is wrong with them; when the task is not there, or Redis does not answer.
pub(crate) async fn check_arguments(
    app: &AppState,
    id: &TaskId,
    call: &str,
    arguments: &Map<String, Value>,
    owner: Option<&OwnerId>,
) -> Result<(), ApiError> {
    require_small(arguments)?;
    let (record, waits) =
        futures::try_join!(app.store.task(id), app.store.waits(id)).map_err(store_error)?;
    let record = owned(record, owner)?;
    let Some((entry, version)) = asked(waits, call) else {
        // Not open: the store says why.
        return Ok(());
    };
    let entries = app.store.entries_at(&[(id.clone(), entry)]).await;
    let entry = entries.map_err(store_error)?.pop().flatten();
    let Some(call) = entry.as_ref().and_then(|entry| call_of(entry, call)) else {
        return Ok(());
    };
    let schema = announced(app, &record.agent, &version, &call.name).await?;
    let errors = schema.map(|schema| judge(&schema, arguments));
    match errors {
        Some(errors) if !errors.is_empty() => Err(ApiError::invalid(errors)),
        _ => Ok(()),
    }
}

/// The reply that makes a call whose approval is open, and the version of the agent that asks.
fn asked(waits: Vec<Wait>, call: &str) -> Option<(u64, String)> {
    let key = WaitKey::Approval(call.to_owned());
    let wait = waits.into_iter().find(|wait| wait.key == key)?;
    match (wait.is_open(), wait.subject) {
        (true, WaitSubject::Call { entry, version }) => Some((entry, version?)),
        _ => None,
    }
}

async fn announced(
    app: &AppState,
    agent: &AgentName,
    version: &str,
    tool: &str,
) -> Result<Option<Value>, ApiError> {
    let agents = app.store.agents().await.map_err(store_error)?;
    let mut same = agents
        .into_iter()
        .filter(|a| a.name == *agent && a.version == version);
    Ok(same
        .next()
        .and_then(|mut agent| agent.approvals.remove(tool)))
}

fn judge(schema: &Value, arguments: &Map<String, Value>) -> Vec<FieldError> {
    // The worker compiled it too; one that cannot be compiled here is of another version of the software.
    let Ok(validator) = jsonschema::validator_for(schema) else {
        return Vec::new();
    };
    wrong_fields(&validator, &Value::Object(arguments.clone()), "/arguments")
}
