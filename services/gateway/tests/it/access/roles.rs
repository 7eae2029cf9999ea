//! Roles: each operation says which it needs, in the document, and that is what it needs.

use std::collections::BTreeSet;

use factorial_core::KeyRole;
use reqwest::Method;
use serde_json::Value;

use super::guarded;

/// Operations that ask nobody who they are.
const OPEN: [&str; 3] = ["answer_callback", "get_health", "report_callback_progress"];

struct Operation {
    name: String,
    method: Method,
    path: String,
    role: Option<KeyRole>,
    unbound: bool,
    codes: BTreeSet<String>,
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let role = operation["x-required-role"].as_str();
            let codes = operation["x-problem-codes"].as_array();
            all.push(Operation {
                name: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                role: role.map(|role| role.parse().unwrap()),
                unbound: operation["x-unbound"] == true,
                codes: codes
                    .into_iter()
                    .flatten()
                    .map(|code| code.as_str().unwrap().to_owned())
                    .collect(),
            });
            let secured = operation["security"].as_array().unwrap();
            assert_eq!(secured.is_empty(), role.is_none(), "{path}");
        }
    }
    all
}

#[tokio::test]
async fn an_operation_needs_the_role_that_it_says() {
    let gateway = guarded().await;
    let document = factorial_gateway::openapi_document();
    assert_eq!(
        document["components"]["securitySchemes"]["bearer"]["scheme"],
        "bearer"
    );
    let operations = operations(&document);
    let open: Vec<&str> = operations
        .iter()
        .filter(|operation| operation.role.is_none())
        .map(|operation| operation.name.as_str())
        .collect();
    assert_eq!(BTreeSet::from_iter(open), BTreeSet::from(OPEN));
    let mut keys = Vec::new();
    for role in KeyRole::ALL {
        keys.push((role, false, gateway.key(role.as_str(), &[]).await));
        if role != KeyRole::Admin {
            keys.push((role, true, gateway.key(role.as_str(), &["o1"]).await));
        }
    }
    for operation in &operations {
        let Some(needed) = operation.role else {
            continue;
        };
        let path = operation
            .path
            .replace("{id}", "0-01hf7yat000000000000000010")
            .replace("{call_id}", "c1")
            .replace("{name}", "nobody");
        let at = &operation.name;
        let nobody = gateway
            .send(gateway.request(operation.method.clone(), &path))
            .await;
        assert_eq!(
            (nobody.status, nobody.code()),
            (401, "unauthenticated"),
            "{at}"
        );
        assert!(operation.codes.contains("unauthenticated"), "{at}");
        for (role, bound, key) in &keys {
            let request = gateway.with_key(key, operation.method.clone(), &path);
            let answer = gateway.send(request).await;
            let refused = *role < needed || (operation.unbound && *bound);
            assert_eq!(
                answer.code() == "forbidden",
                refused,
                "{at} as {role}, bound: {bound}: {answer:?}"
            );
            if refused {
                assert_eq!(answer.status, 403, "{at}");
                assert!(operation.codes.contains("forbidden"), "{at}");
                let challenge = answer.headers["www-authenticate"].to_str().unwrap();
                assert!(challenge.contains("insufficient_scope"), "{challenge}");
            } else {
                assert_ne!(answer.status, 401, "{at} as {role}");
            }
        }
    }
}

/// The table of docs/security.md, as the document of the interface says it.
#[tokio::test]
async fn the_table_of_roles_is_that_of_the_document() {
    let document = factorial_gateway::openapi_document();
    let mut table = String::new();
    for role in KeyRole::ALL {
        let mut names: Vec<String> = operations(&document)
            .into_iter()
            .filter(|operation| operation.role == Some(role))
            .map(|operation| {
                let mark = if operation.unbound { " *" } else { "" };
                format!("`{}`{mark}", operation.name)
            })
            .collect();
        names.sort();
        table.push_str(&format!("| `{role}` | {} |\n", names.join(", ")));
    }
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/security.md");
    let text = std::fs::read_to_string(page).unwrap();
    assert!(
        text.contains(&table),
        "docs/security.md should say:\n{table}"
    );
}
