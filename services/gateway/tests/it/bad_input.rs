//! Whatever a client sends, it gets a problem document that says what is wrong, and never 500.

use serde_json::{Value, json};

use crate::support::{gateway, raw, submission};

#[tokio::test]
async fn all_wrong_fields_are_named_at_once() {
    let gateway = gateway().await;
    let body = json!({
        "agent": "Not A Name", "owner_id": "a}:b", "priority": 10, "delay_seconds": -1,
        "limits": {"max_turns": 0}, "previous_task_id": "x", "metadata": {"": "v"},
    });
    let answer = gateway.post("/v1/tasks", &body).await;
    assert_eq!((answer.status, answer.code()), (422, "validation_failed"));
    let mut fields = answer.fields();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "/agent",
            "/delay_seconds",
            "/limits/max_turns",
            "/metadata",
            "/owner_id",
            "/previous_task_id",
            "/priority",
            "/query",
        ]
    );
}

#[tokio::test]
async fn wrong_types_are_named_by_their_path() {
    let gateway = gateway().await;
    for (changes, field) in [
        (json!({"priority": "high"}), "/priority"),
        (json!({"priority": 300}), "/priority"),
        (
            json!({"messages": [{"role": "user", "content": "c"}, {"role": "robot", "content": "c"}]}),
            "/messages/1/role",
        ),
        (json!({"messages": [{"role": "user"}]}), "/messages/0"),
        (json!({"limits": {"max_turns": 1.5}}), "/limits/max_turns"),
        (json!({"limits": {"max_runs": 1}}), "/limits/max_runs"),
        (json!({"metadata": {"a/b": 1}}), "/metadata/a~1b"),
        (json!({"run_at": "tomorrow"}), "/run_at"),
        (json!({"qurey": "q"}), "/qurey"),
        (json!({"owner_id": null}), "/owner_id"),
    ] {
        let answer = gateway.post("/v1/tasks", &submission(&changes)).await;
        assert_eq!(
            (answer.status, answer.code()),
            (422, "validation_failed"),
            "{changes}"
        );
        assert_eq!(answer.fields(), [field], "{changes} {answer:?}");
    }
    let answer = gateway.post("/v1/tasks", &json!({"owner_id": "o"})).await;
    assert!(
        answer.body["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("agent"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn names_that_could_break_a_key_are_refused() {
    let gateway = gateway().await;
    let long = "x".repeat(10_000);
    for bad in [
        "",
        "a}:b",
        "q:*",
        "a\nb",
        "a\0b",
        "a b",
        "{",
        "ü",
        long.as_str(),
    ] {
        for field in ["agent", "owner_id"] {
            let answer = gateway
                .post("/v1/tasks", &submission(&json!({field: bad})))
                .await;
            assert_eq!(answer.status, 422, "{field} {bad:?}");
            assert_eq!(answer.fields(), [format!("/{field}")], "{bad:?}");
        }
        if bad.is_empty() {
            continue;
        }
        let encoded: String = bad.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = gateway.get(&format!("/v1/tasks/{encoded}")).await;
        assert_eq!(
            (answer.status, answer.fields()),
            (422, vec!["id"]),
            "{bad:?}"
        );
        let answer = gateway.get(&format!("/v1/agents/{encoded}")).await;
        assert_eq!(
            (answer.status, answer.fields()),
            (422, vec!["name"]),
            "{bad:?}"
        );
        let answer = gateway
            .get(&format!("/v1/tasks?owner_id={encoded}&agent={encoded}"))
            .await;
        assert_eq!(
            (answer.status, answer.fields()),
            (422, vec!["owner_id", "agent"]),
            "{bad:?}"
        );
    }
}

#[tokio::test]
async fn malformed_ids_are_422_and_unknown_ones_404() {
    let gateway = gateway().await;
    let unknown = [
        "0-01hf7yat000000000000000007",
        "9-01hf7yat000000000000000007",
    ];
    for id in unknown {
        for path in [
            "",
            "/status",
            "/result",
            "/result?wait=1",
            "/messages",
            "/events",
        ] {
            let answer = gateway.get(&format!("/v1/tasks/{id}{path}")).await;
            assert_eq!(
                (answer.status, answer.code()),
                (404, "task_not_found"),
                "{id}{path}"
            );
        }
        let steer = json!({"messages": [{"role": "user", "content": "c"}]});
        for (verb, body) in [("cancel", json!({})), ("steer", steer)] {
            let answer = gateway.post(&format!("/v1/tasks/{id}/{verb}"), &body).await;
            assert_eq!(
                (answer.status, answer.code()),
                (404, "task_not_found"),
                "{verb}"
            );
        }
        let answer = gateway
            .post(&format!("/v1/tasks/{id}/retry"), &Value::Null)
            .await;
        assert_eq!((answer.status, answer.code()), (404, "task_not_found"));
        let stream = gateway.request(reqwest::Method::GET, &format!("/v1/tasks/{id}/events"));
        let answer = gateway
            .send(stream.header("accept", "text/event-stream"))
            .await;
        assert_eq!((answer.status, answer.code()), (404, "task_not_found"));
    }
    for id in [
        "1",
        "01-01hf7yat000000000000000007",
        "0-01HF7YAT000000000000000007",
        "%00",
        "%ff",
    ] {
        for path in ["", "/status", "/result", "/messages", "/events"] {
            let answer = gateway.get(&format!("/v1/tasks/{id}{path}")).await;
            assert_eq!(
                (answer.status, answer.fields()),
                (422, vec!["id"]),
                "{id}{path}"
            );
        }
        let answer = gateway
            .post(&format!("/v1/tasks/{id}/cancel"), &json!({}))
            .await;
        assert_eq!(answer.status, 422, "{id}");
    }
}

#[tokio::test]
async fn parameters_are_judged_all_together() {
    let gateway = gateway().await;
    let id = gateway.submit(&json!({})).await;
    for (path, fields) in [
        (
            "/v1/tasks?limit=0&cursor=x&status=done&agent=A&colour=red",
            vec!["agent", "status", "limit", "cursor", "colour"],
        ),
        ("/v1/tasks?limit=201", vec!["limit"]),
        ("/v1/tasks?limit=5&limit=6", vec!["limit"]),
        ("/v1/tasks?limit=99999999999999999999999", vec!["limit"]),
        (
            "/v1/tasks?cursor=01HF7YAT000000000000000007",
            vec!["cursor"],
        ),
        ("/v1/tasks?owner_id=%00", vec!["owner_id"]),
        ("/v1/tasks?owner_id=%ff", vec!["owner_id"]),
        ("/v1/tasks/{id}/result?wait=61", vec!["wait"]),
        ("/v1/tasks/{id}/result?wait=-1", vec!["wait"]),
        ("/v1/tasks/{id}/result?wait=NaN", vec!["wait"]),
        (
            "/v1/tasks/{id}/events?starting_after=-1&limit=1001",
            vec!["starting_after", "limit"],
        ),
        (
            "/v1/tasks/{id}/events?starting_after=18446744073709551615",
            vec!["starting_after"],
        ),
        ("/v1/tasks/{id}/messages?cursor=1.1", vec!["cursor"]),
        ("/v1/agents?limit=1001", vec!["limit"]),
        ("/v1/workers?cursor=A", vec!["cursor"]),
    ] {
        let answer = gateway.get(&path.replace("{id}", &id)).await;
        assert_eq!((answer.status, answer.fields()), (422, fields), "{path}");
    }
    let stream = gateway.request(reqwest::Method::GET, &format!("/v1/tasks/{id}/events"));
    let stream = stream
        .header("accept", "text/event-stream")
        .header("last-event-id", "x");
    assert_eq!(gateway.send(stream).await.fields(), ["Last-Event-ID"]);
    // The largest that are allowed, past the end.
    for path in [
        "events?starting_after=9007199254740991",
        "messages?cursor=4294967295.4294967295.4294967295.4294967295",
    ] {
        let answer = gateway.get(&format!("/v1/tasks/{id}/{path}")).await;
        assert_eq!(
            (answer.status, &answer.body["data"]),
            (200, &json!([])),
            "{path}"
        );
    }
}

#[tokio::test]
async fn steering_and_reasons_have_bounds() {
    let gateway = gateway().await;
    let id = gateway.submit(&json!({})).await;
    let steer = format!("/v1/tasks/{id}/steer");
    let message = |content: &str| json!({"role": "user", "content": content});
    let longest = "x".repeat(65_536);
    for (body, field) in [
        (json!({"messages": []}), "/messages"),
        (json!({"messages": vec![message("c"); 65]}), "/messages"),
        (
            json!({"messages": [message("c"), message("")]}),
            "/messages/1/content",
        ),
        (
            json!({"messages": [message(&format!("{longest}x"))]}),
            "/messages/0/content",
        ),
        (
            json!({"messages": [message("c")], "client_id": ""}),
            "/client_id",
        ),
        (
            json!({"messages": [message("c")], "client_id": "x".repeat(129)}),
            "/client_id",
        ),
        (
            json!({"messages": [message("c")], "mode": "later"}),
            "/mode",
        ),
    ] {
        let answer = gateway.post(&steer, &body).await;
        assert_eq!(
            (answer.status, answer.fields()),
            (422, vec![field]),
            "{field}"
        );
    }
    let answer = gateway
        .post(&steer, &json!({"messages": [message(&longest)]}))
        .await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let cancel = format!("/v1/tasks/{id}/cancel");
    let answer = gateway
        .post(&cancel, &json!({"reason": "é".repeat(501)}))
        .await;
    assert_eq!((answer.status, answer.fields()), (422, vec!["/reason"]));
    let answer = gateway
        .post(&cancel, &json!({"reason": "é\u{0}\n".repeat(166)}))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["cancel_reason"], "é\u{0}\n".repeat(166));
}

#[tokio::test]
async fn what_is_no_route_is_a_problem_too() {
    let gateway = gateway().await;
    for path in [
        "/v1",
        "/v1/",
        "/v2/tasks",
        "/v1/tasks/",
        "/v1/tasks/x/y/z",
        "/%00",
        "/..%2f",
    ] {
        let answer = gateway.get(path).await;
        assert_eq!(
            (answer.status, answer.code()),
            (404, "route_not_found"),
            "{path}"
        );
    }
    for (method, path) in [
        ("DELETE", "/v1/tasks"),
        ("PUT", "/"),
        ("POST", "/v1/agents"),
        ("BREW", "/v1/workers"),
    ] {
        let request = gateway.request(method.parse().unwrap(), path);
        let answer = gateway.send(request).await;
        assert_eq!(
            (answer.status, answer.code()),
            (405, "method_not_allowed"),
            "{method} {path}"
        );
        assert!(answer.headers.contains_key("allow"));
    }
}

#[tokio::test]
async fn what_is_not_http_ends_the_connection_and_nothing_else() {
    let gateway = gateway().await;
    let long = format!(
        "GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "x".repeat(80_000)
    );
    let many = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\n{}\r\n",
        "a: b\r\n".repeat(200)
    );
    for bad in [
        &b"\x00\x01\x02\r\n\r\n"[..],
        b"GET / HTTP/9\r\n\r\n",
        b"GET  \r\n\r\n",
        long.as_bytes(),
        many.as_bytes(),
    ] {
        let status = raw(&gateway, bad).await;
        assert!((400..500).contains(&status), "{status}");
    }
    assert_eq!(gateway.get("/").await.status, 200);
}

#[tokio::test]
async fn a_request_id_is_kept_when_it_is_sound() {
    let gateway = gateway().await;
    for (given, kept) in [("abc-1", true), ("a b", false), (&"x".repeat(129), false)] {
        let request = gateway
            .request(reqwest::Method::GET, "/v1/nothing")
            .header("x-request-id", given);
        let answer = gateway.send(request).await;
        assert_eq!(answer.headers["x-request-id"] == given, kept, "{given}");
    }
}
