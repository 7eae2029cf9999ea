//! The OpenAPI document: complete, sound, and true to what the gateway answers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::{Gateway, gateway};

const ROUTES: [(&str, &str); 47] = [
    ("get", "/"),
    ("get", "/v1/agents"),
    ("get", "/v1/agents/{name}"),
    ("post", "/v1/agents/{name}/pause"),
    ("post", "/v1/agents/{name}/resume"),
    ("get", "/v1/approvals"),
    ("get", "/v1/audit"),
    ("post", "/v1/callbacks/{token}"),
    ("post", "/v1/callbacks/{token}/progress"),
    ("get", "/v1/batches"),
    ("post", "/v1/batches"),
    ("get", "/v1/batches/{id}"),
    ("post", "/v1/batches/{id}/cancel"),
    ("get", "/v1/batches/{id}/events"),
    ("get", "/v1/batches/{id}/results"),
    ("get", "/v1/batches/{id}/webhook-deliveries"),
    ("get", "/v1/events"),
    ("get", "/v1/keys"),
    ("post", "/v1/keys"),
    ("post", "/v1/keys/{id}/revoke"),
    ("get", "/v1/tasks"),
    ("post", "/v1/tasks"),
    ("get", "/v1/tasks/{id}"),
    ("post", "/v1/tasks/{id}/cancel"),
    ("get", "/v1/tasks/{id}/events"),
    ("get", "/v1/tasks/{id}/messages"),
    ("get", "/v1/tasks/{id}/result"),
    ("post", "/v1/tasks/{id}/retry"),
    ("get", "/v1/tasks/{id}/status"),
    ("post", "/v1/tasks/{id}/steer"),
    ("get", "/v1/tasks/{id}/tool-calls"),
    ("post", "/v1/tasks/{id}/tool-calls/{call_id}/approve"),
    ("post", "/v1/tasks/{id}/tool-calls/{call_id}/deny"),
    ("post", "/v1/tasks/{id}/tool-calls/{call_id}/error"),
    ("post", "/v1/tasks/{id}/tool-calls/{call_id}/progress"),
    ("post", "/v1/tasks/{id}/tool-calls/{call_id}/result"),
    ("get", "/v1/tasks/{id}/tree"),
    ("get", "/v1/tasks/{id}/webhook-deliveries"),
    ("get", "/v1/tool-calls"),
    ("post", "/v1/webhook-deliveries/{id}/retry"),
    ("get", "/v1/webhooks"),
    ("post", "/v1/webhooks"),
    ("get", "/v1/webhooks/secret"),
    ("get", "/v1/webhooks/{id}"),
    ("delete", "/v1/webhooks/{id}"),
    ("get", "/v1/webhooks/{id}/deliveries"),
    ("get", "/v1/workers"),
];

async fn document(gateway: &Gateway) -> Value {
    let answer = gateway.get("/openapi.json").await;
    assert_eq!(
        (
            answer.status,
            answer.headers["content-type"].to_str().unwrap()
        ),
        (200, "application/json")
    );
    assert_eq!(answer.body, factorial_gateway::openapi_document());
    answer.body
}

fn operations(document: &Value) -> BTreeMap<(String, String), Value> {
    let paths = document["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations.map(move |(method, op)| ((path.clone(), method.clone()), op.clone()))
    });
    each.collect()
}

/// Whether a value is as a schema of the document says.
fn check(document: &Value, schema: &Value, value: &Value) {
    let mut root = json!({"components": document["components"]});
    root["allOf"] = json!([schema]);
    let validator = jsonschema::validator_for(&root).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(value)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}\n{schema}\n{value}");
}

#[tokio::test]
async fn every_route_is_described() {
    let gateway = gateway().await;
    let document = document(&gateway).await;
    assert_eq!(document["openapi"], "3.1.0");
    let operations = operations(&document);
    let described: BTreeSet<_> = operations
        .keys()
        .map(|(path, method)| (method.as_str(), path.as_str()))
        .collect();
    assert_eq!(described, BTreeSet::from(ROUTES));
    for (method, path) in ROUTES {
        let path = path.replace("{id}", "x").replace("{name}", "X");
        let answer = gateway
            .send(gateway.request(method.to_uppercase().parse().unwrap(), &path))
            .await;
        assert!(
            !matches!(answer.code(), "route_not_found" | "method_not_allowed"),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn every_operation_is_complete() {
    let gateway = gateway().await;
    let document = document(&gateway).await;
    let mut names = BTreeSet::new();
    for ((path, method), operation) in operations(&document) {
        let at = format!("{method} {path}");
        assert!(
            names.insert(operation["operationId"].as_str().unwrap().to_owned()),
            "{at}"
        );
        assert!(
            operation["summary"].is_string() && operation["tags"][0].is_string(),
            "{at}"
        );
        let parameters = operation["parameters"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        for parameter in &parameters {
            assert!(
                parameter["description"].is_string() && parameter["schema"].is_object(),
                "{at}"
            );
        }
        for part in path
            .split('/')
            .filter_map(|p| p.strip_prefix('{')?.strip_suffix('}'))
        {
            let declared = parameters
                .iter()
                .any(|p| p["name"] == part && p["in"] == "path" && p["required"] == true);
            assert!(declared, "{at}: {part}");
        }
        let responses = operation["responses"].as_object().unwrap();
        assert!(
            responses.keys().any(|status| status.starts_with('2')),
            "{at}"
        );
        for (status, response) in responses {
            assert!(
                !response["description"].as_str().unwrap().is_empty(),
                "{at} {status}"
            );
            if !path.starts_with("/v1") || status.starts_with('2') {
                continue;
            }
            let content = &response["content"]["application/problem+json"];
            for (code, example) in content["examples"].as_object().unwrap() {
                assert_eq!(example["value"]["code"], code.as_str());
                assert_eq!(example["value"]["status"].to_string(), *status);
                check(&document, &content["schema"], &example["value"]);
            }
        }
        if path.starts_with("/v1") {
            for status in ["422", "500", "503"] {
                assert!(responses.contains_key(status), "{at} {status}");
            }
        }
    }
}

#[tokio::test]
async fn references_lead_somewhere_and_examples_fit() {
    let gateway = gateway().await;
    let document = document(&gateway).await;
    let mut stack = vec![&document];
    while let Some(value) = stack.pop() {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(target)) = fields.get("$ref") {
                    let found = document.pointer(target.strip_prefix('#').unwrap());
                    assert!(found.is_some(), "{target}");
                }
                stack.extend(fields.values());
            }
            Value::Array(items) => stack.extend(items),
            _ => {}
        }
    }
    let mut examples = 0;
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(
            schema["description"].is_string() || name.starts_with("Page_"),
            "{name}"
        );
        if !schema["example"].is_null() {
            examples += 1;
            check(
                &document,
                &json!({"$ref": format!("#/components/schemas/{name}")}),
                &schema["example"],
            );
        }
    }
    assert!(examples >= 3);
}

#[tokio::test]
async fn answers_are_as_described() {
    let gateway = gateway().await;
    let document = document(&gateway).await;
    let hand = gateway.hand();
    let id = gateway
        .submit(&json!({"messages": [{"role": "system", "content": "s"}], "metadata": {"a": "b"}, "limits": {"max_turns": 2}}))
        .await;
    let mut claimed = hand.claim().await;
    hand.turn(&mut claimed, 1, 1, "t").await;
    hand.fail(&claimed).await;
    for path in [
        "/",
        "/v1/agents",
        "/v1/agents/{name}",
        "/v1/tasks",
        "/v1/tasks/{id}",
        "/v1/tasks/{id}/events",
        "/v1/tasks/{id}/messages",
        "/v1/tasks/{id}/result",
        "/v1/tasks/{id}/status",
        "/v1/tasks/{id}/tool-calls",
        "/v1/tasks/{id}/tree",
        "/v1/approvals",
        "/v1/tool-calls",
        "/v1/workers",
    ] {
        let answer = gateway
            .get(&path.replace("{id}", &id).replace("{name}", "writer"))
            .await;
        assert_eq!(answer.status, 200, "{path}");
        let described = &document["paths"][path]["get"]["responses"]["200"];
        check(
            &document,
            &described["content"]["application/json"]["schema"],
            &answer.body,
        );
    }
    webhooks_are_as_described(&gateway, &document).await;
    let refused = gateway
        .post(
            "/v1/tasks",
            &json!({"agent": "x", "owner_id": "", "query": "q"}),
        )
        .await;
    let described = &document["paths"]["/v1/tasks"]["post"]["responses"]["422"];
    check(
        &document,
        &described["content"]["application/problem+json"]["schema"],
        &refused.body,
    );
}

async fn webhooks_are_as_described(gateway: &Gateway, document: &Value) {
    let new =
        json!({"owner_id": "o1", "url": "https://example.org/", "event_types": ["run_cancelled"]});
    let added = gateway.post("/v1/webhooks", &new).await;
    let id = gateway.submit(&json!({"delay_seconds": 60})).await;
    gateway
        .post(&format!("/v1/tasks/{id}/cancel"), &json!({}))
        .await;
    for (path, asked) in [
        ("/v1/webhooks", "/v1/webhooks?owner_id=o1".to_owned()),
        (
            "/v1/webhooks/secret",
            "/v1/webhooks/secret?owner_id=o1".to_owned(),
        ),
        ("/v1/webhooks/{id}", format!("/v1/webhooks/{}", added.id())),
        (
            "/v1/webhooks/{id}/deliveries",
            format!("/v1/webhooks/{}/deliveries", added.id()),
        ),
        (
            "/v1/tasks/{id}/webhook-deliveries",
            format!("/v1/tasks/{id}/webhook-deliveries"),
        ),
    ] {
        let answer = gateway.get(&asked).await;
        assert_eq!(answer.status, 200, "{path}");
        let described = &document["paths"][path]["get"]["responses"]["200"];
        let schema = &described["content"]["application/json"]["schema"];
        check(document, schema, &answer.body);
    }
}

#[tokio::test]
async fn the_page_for_people_needs_nothing_from_outside() {
    let gateway = gateway().await;
    let page = gateway
        .request(reqwest::Method::GET, "/docs")
        .send()
        .await
        .unwrap();
    assert_eq!(page.status().as_u16(), 200);
    let text = page.text().await.unwrap();
    assert!(
        text.contains("swagger-ui") && !text.contains("https://"),
        "{text}"
    );
    let script = gateway
        .request(reqwest::Method::GET, "/docs/swagger-initializer.js")
        .send()
        .await
        .unwrap();
    assert!(script.text().await.unwrap().contains("/openapi.json"));
}
