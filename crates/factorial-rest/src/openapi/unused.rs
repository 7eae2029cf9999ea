//! Schemas that nothing refers to.

use std::collections::BTreeSet;

use serde_json::Value;

/// Removes schemas that no other part refers to: those that others are made of without naming them.
pub(super) fn remove_unused(document: &mut Value) {
    loop {
        let mut named = BTreeSet::new();
        collect_references(document, &mut named);
        let schemas = document.pointer_mut("/components/schemas");
        let Some(schemas) = schemas.and_then(Value::as_object_mut) else {
            return;
        };
        let before = schemas.len();
        schemas.retain(|name, _| named.contains(name));
        if schemas.len() == before {
            return;
        }
    }
}

fn collect_references(value: &Value, named: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let name = members.get("$ref").and_then(Value::as_str);
            named.extend(name.and_then(|name| Some(name.rsplit_once('/')?.1.to_owned())));
            for member in members.values() {
                collect_references(member, named);
            }
        }
        Value::Array(items) => {
            for item in items {
                collect_references(item, named);
            }
        }
        _ => {}
    }
}
