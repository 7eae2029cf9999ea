//! Forms of names and ids, as patterns, wherever a document has one of them.
//!
//! The types of requests and answers have strings; what is checked of them is in `factorial-core`. Invariant: what has
//! the form is never refused for its form.

use serde_json::Value;

const OWNER: &str = "^[A-Za-z0-9._@+=|/-]{1,128}$";
const AGENT: &str = "^[a-z0-9][a-z0-9_-]{0,63}$";
const TASK: &str = "^(0|[1-9][0-9]{0,3})-[0-7][0-9a-hjkmnp-tv-z]{25}$";
const DELIVERY: &str = r"^(0|[1-9][0-9]{0,3})-[0-7][0-9a-hjkmnp-tv-z]{25}\.[1-9][0-9]{0,8}\.(task|batch|wh_[0-7][0-9a-hjkmnp-tv-z]{25})$";

/// Adds them to the parameters of operations and to the members of objects.
pub(super) fn add_forms(document: &mut Value) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, item) in paths.into_iter().flatten() {
        let operations = item.as_object_mut().into_iter();
        for operation in operations.flat_map(serde_json::Map::values_mut) {
            let parameters = operation
                .get_mut("parameters")
                .and_then(Value::as_array_mut);
            for parameter in parameters.into_iter().flatten() {
                let form = parameter["name"].as_str().and_then(|name| of(name, path));
                if let Some(form) = form {
                    add(&mut parameter["schema"], form);
                }
            }
        }
    }
    let schemas = document.pointer_mut("/components/schemas");
    let schemas = schemas.and_then(Value::as_object_mut).into_iter();
    for schema in schemas.flat_map(serde_json::Map::values_mut) {
        let members = schema.get_mut("properties").and_then(Value::as_object_mut);
        for (name, member) in members.into_iter().flatten() {
            if let Some(form) = of(name, "") {
                add(member, form);
            }
        }
    }
}

/// The form of what has this name; `path`: of the operation that takes it.
fn of(name: &str, path: &str) -> Option<&'static str> {
    match name {
        "owner_id" => Some(OWNER),
        "agent" => Some(AGENT),
        "task_id" | "batch_id" => Some(TASK),
        "name" if path.contains("/agents/{name}") => Some(AGENT),
        "id" if path.contains("/tasks/{id}") || path.contains("/batches/{id}") => Some(TASK),
        "id" if path.contains("/webhook-deliveries/{id}") => Some(DELIVERY),
        _ => None,
    }
}

/// To a text, or one that may be missing; others of the same name are something else.
fn add(schema: &mut Value, form: &str) {
    let kind = &schema["type"];
    let is_text = kind == "string"
        || kind
            .as_array()
            .is_some_and(|kinds| kinds.iter().any(|kind| kind == "string"));
    if is_text && schema.get("pattern").is_none() {
        schema["pattern"] = form.into();
    }
}

#[cfg(test)]
#[expect(clippy::panic, reason = "tests")]
mod tests {
    use factorial_core::{AgentName, DeliveryId, OwnerId, TaskId};
    use proptest::{prelude::*, string::string_regex};

    use super::*;

    /// Texts of a form.
    fn texts(form: &str) -> impl Strategy<Value = String> {
        let between = form
            .strip_prefix('^')
            .and_then(|form| form.strip_suffix('$'));
        string_regex(between.unwrap_or_default()).unwrap_or_else(|error| panic!("{form}: {error}"))
    }

    proptest! {
        #[test]
        fn what_has_the_form_is_accepted(
            owner in texts(OWNER), agent in texts(AGENT), task in texts(TASK), delivery in texts(DELIVERY),
        ) {
            prop_assert!(OwnerId::new(&owner).is_ok());
            prop_assert!(AgentName::new(&agent).is_ok());
            prop_assert!(task.parse::<TaskId>().is_ok());
            prop_assert!(DeliveryId::new(&delivery).is_ok());
        }
    }
}
