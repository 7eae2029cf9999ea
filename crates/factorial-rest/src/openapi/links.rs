//! What can be done with the id that an answer has, as OpenAPI links.

use serde_json::{Map, Value, json};

/// What makes something, and where the operations on it are.
struct Linked {
    maker: &'static str,
    place: &'static str,
}
const LINKED: [Linked; 3] = [
    Linked {
        maker: "submit_task",
        place: "/tasks/{id}",
    },
    Linked {
        maker: "submit_batch",
        place: "/batches/{id}",
    },
    Linked {
        maker: "add_webhook",
        place: "/webhooks/{id}",
    },
];

/// Says which operations take the id that another one answers with, so that tools can follow it.
pub(super) fn add_links(document: &mut Value) {
    let mut taking: Map<String, Value> = Map::new();
    let operations = operations(document);
    for (path, operation) in &operations {
        let Some(resource) = LINKED.iter().find(|linked| path.contains(linked.place)) else {
            continue;
        };
        let id = operation["operationId"].as_str().unwrap_or_default();
        let parameters = operation["parameters"].as_array();
        let in_path = parameters
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path");
        // Those that need more than the id are not led to by it.
        if in_path.count() == 1 {
            let links = taking.entry(resource.maker).or_insert_with(|| json!({}));
            links[id] = json!({"operationId": id, "parameters": {"id": "$response.body#/id"}});
        }
    }
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flat_map(Map::values_mut);
    for operation in items
        .filter_map(Value::as_object_mut)
        .flat_map(Map::values_mut)
    {
        let maker = operation["operationId"].as_str().unwrap_or_default();
        let Some(links) = taking.get(maker).cloned() else {
            continue;
        };
        for status in ["200", "201"] {
            if let Some(response) = operation["responses"].get_mut(status) {
                response["links"] = links.clone();
            }
        }
    }
}

/// Paths and their operations.
fn operations(document: &Value) -> Vec<(&str, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let of_path = paths.flat_map(|(path, item)| {
        let operations = item.as_object().into_iter().flat_map(Map::values);
        operations.map(|operation| (path.as_str(), operation))
    });
    of_path.collect()
}
