//! What is accepted, and what becomes of it.

use factorial_core::{Entry, TaskState};
use serde_json::json;

use super::{batch, ends, events, good, keyed, lines, view};
use crate::support::{config, gateway, gateway_with};

#[tokio::test]
async fn a_document_is_a_batch() {
    let gateway = gateway().await;
    let body = json!({
        "owner_id": "o1", "agent": "writer", "priority": 7, "limits": {"max_turns": 5, "max_tool_calls": 9},
        "stream": true, "metadata": {"run": "7"},
        "tasks": [
            {"query": "one", "custom_id": "first", "metadata": {"k": "v"}},
            {"agent": "reader", "messages": [{"role": "user", "content": "two"}], "priority": 1, "stream": false,
                "limits": {"max_turns": 9, "max_tool_calls": 3, "deadline_seconds": 60}},
            {"query": "three", "delay_seconds": 100, "limits": {"max_turns": 2}},
        ],
    });
    let answer = gateway.post("/v1/batches", &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let id: factorial_core::BatchId = answer.id().parse().unwrap();
    assert_eq!(
        answer.headers["location"],
        format!("/v1/batches/{id}").as_str()
    );
    assert_eq!(answer.body["status"], "running");
    assert_eq!(answer.body["counts"], json!({"queued": 2, "scheduled": 1}));
    assert_eq!(answer.body["members"], 3);
    assert_eq!(answer.body["accepted"], 3);
    assert_eq!(answer.body["metadata"], json!({"run": "7"}));
    assert_eq!(
        answer.body["progress"],
        json!({"done": 0, "total": 15, "unit": "turns", "fraction": 0.0})
    );
    assert_eq!(view(&gateway, &id).await, answer.body);

    let tasks = gateway
        .store
        .tasks(&[id.member(0), id.member(1), id.member(2)])
        .await
        .unwrap();
    let [one, two, three] = &tasks.into_iter().map(Option::unwrap).collect::<Vec<_>>()[..] else {
        panic!("three")
    };
    for task in [one, two, three] {
        assert_eq!(task.batch.as_ref(), Some(&id));
        assert_eq!(task.owner.as_str(), "o1");
    }
    assert_eq!(
        (one.agent.as_str(), one.priority.get(), one.stream),
        ("writer", 7, true)
    );
    assert_eq!(one.metadata["custom_id"], "first");
    assert_eq!(one.metadata["k"], "v");
    assert_eq!(
        one.limits,
        Some(json!({"max_turns": 5, "max_tool_calls": 9}))
    );
    assert_eq!(
        (two.agent.as_str(), two.priority.get(), two.stream),
        ("reader", 1, false)
    );
    assert_eq!(
        two.limits,
        Some(json!({"max_turns": 5, "max_tool_calls": 3, "deadline_seconds": 60}))
    );
    assert!(two.deadline_ms.is_some());
    assert_eq!(three.state, TaskState::Scheduled);
    assert_eq!(
        three.limits,
        Some(json!({"max_turns": 2, "max_tool_calls": 9}))
    );
}

#[tokio::test]
async fn an_empty_batch_ends_at_once() {
    let gateway = gateway().await;
    let document = json!({"owner_id": "o1", "tasks": []});
    for answer in [
        gateway.post("/v1/batches", &document).await,
        lines(&gateway, "owner_id=o1", "").await,
        lines(&gateway, "owner_id=o1&max_turns=3", "\u{feff}\r\n\n  \n").await,
    ] {
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(answer.body["status"], "completed");
        assert_eq!(answer.body["progress"]["fraction"], 1.0);
        assert_eq!(answer.body["counts"], json!({}));
        assert!(answer.body["finished_at"].is_string());
        let id = answer.id().parse().unwrap();
        assert_eq!(ends(&events(&gateway, &id).await), ["batch_completed"]);
    }
}

#[tokio::test]
async fn lines_are_taken_in_every_form() {
    let gateway = gateway().await;
    let body = "\u{feff}{\"query\":\"a\"}\r\n\n   \n{\"query\":\"b\"}\n \t{\"query\":\"c\"}";
    let answer = lines(&gateway, "owner_id=o1&agent=writer", body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.body["counts"], json!({"queued": 3}));
    let id: factorial_core::BatchId = answer.id().parse().unwrap();
    for (index, expected) in ["a", "b", "c"].into_iter().enumerate() {
        let entries = gateway
            .store
            .entries(&id.member(index as u64), 0, 1)
            .await
            .unwrap();
        let Entry::Input { query, .. } = &entries[0] else {
            panic!("{entries:?}")
        };
        assert_eq!(query.as_deref(), Some(expected));
    }
}

#[tokio::test]
async fn all_settings_can_be_parameters() {
    let gateway = gateway().await;
    let metadata = "%7B%22k%22%3A%22v%22%7D";
    let query = format!(
        "owner_id=o1&agent=writer&priority=8&max_turns=4&max_total_tokens=99&max_tool_calls=0&deadline_seconds=30\
         &stream=true&metadata={metadata}"
    );
    let answer = lines(&gateway, &query, good(1)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.body["metadata"], json!({"k": "v"}));
    assert_eq!(answer.body["progress"]["total"], 4);
    let id: factorial_core::BatchId = answer.id().parse().unwrap();
    let task = gateway.store.task(&id.member(0)).await.unwrap().unwrap();
    assert_eq!((task.priority.get(), task.stream), (8, true));
    let limits = json!({"max_turns": 4, "max_total_tokens": 99, "max_tool_calls": 0, "deadline_seconds": 30});
    assert_eq!(task.limits, Some(limits));
    let shown = gateway.get(&format!("/v1/tasks/{}", task.id)).await;
    assert_eq!(shown.body["batch_id"], id.as_str());
}

#[tokio::test]
async fn the_same_key_is_the_same_batch() {
    let gateway = gateway_with(config(), 4).await;
    let query = "owner_id=o1&agent=writer";
    let first = keyed(&gateway, query, good(20), Some("k")).await;
    let again = keyed(&gateway, query, good(20), Some("k")).await;
    assert_eq!((first.status, again.status), (201, 200), "{again:?}");
    assert_eq!(first.body, again.body);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    for (query, body) in [
        (query, good(21)),
        ("owner_id=o1&agent=writer&priority=1", good(20)),
    ] {
        let other = keyed(&gateway, query, body, Some("k")).await;
        assert_eq!(
            (other.status, other.code()),
            (409, "idempotency_key_reused")
        );
    }
    let other_owner = keyed(&gateway, "owner_id=o2&agent=writer", good(20), Some("k")).await;
    assert_eq!(other_owner.status, 201);
    assert_ne!(other_owner.id(), first.id());
    // A task with the key of a batch.
    let request = gateway
        .request(reqwest::Method::POST, "/v1/tasks")
        .header("idempotency-key", "k")
        .json(&crate::support::submission(&json!({})));
    assert_eq!(gateway.send(request).await.code(), "idempotency_key_reused");
    // Several at once.
    let many =
        futures::future::join_all((0..6).map(|_| keyed(&gateway, query, good(200), Some("m"))))
            .await;
    for answer in &many {
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        assert_eq!(answer.id(), many[0].id());
        assert_eq!(answer.body["accepted"], 200);
        assert_eq!(answer.body["counts"], json!({"queued": 200}));
    }
}

#[tokio::test]
async fn lists_are_paged_by_time_and_owner() {
    let gateway = gateway_with(config(), 3).await;
    let mut ids = Vec::new();
    for n in 0..7 {
        let query = format!("owner_id=o{}&agent=writer", n % 2);
        let answer = lines(&gateway, &query, good(1)).await;
        ids.push(answer.id().to_owned());
        // Ids sort by the millisecond.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    ids.reverse();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = gateway.get(&format!("/v1/batches?limit=3{cursor}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        let data = page.body["data"].as_array().unwrap();
        seen.extend(data.iter().map(|b| b["id"].as_str().unwrap().to_owned()));
        let Some(next) = page.body["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, ids);
    let page = gateway.get("/v1/batches?owner_id=o0").await;
    assert_eq!(page.body["data"].as_array().unwrap().len(), 4);
    assert_eq!(
        gateway.get("/v1/batches?cursor=x").await.fields(),
        ["cursor"]
    );
}

#[tokio::test]
async fn a_batch_is_its_owners() {
    let gateway = gateway().await;
    let id = batch(&gateway, 2, "").await;
    for path in ["", "/events", "/results"] {
        let path = format!("/v1/batches/{id}{path}");
        assert_eq!(
            gateway.get(&format!("{path}?owner_id=o1")).await.status,
            200
        );
        let other = gateway.get(&format!("{path}?owner_id=o2")).await;
        assert_eq!((other.status, other.code()), (404, "batch_not_found"));
    }
    let cancel = format!("/v1/batches/{id}/cancel");
    let other = gateway.post(&cancel, &json!({"owner_id": "o2"})).await;
    assert_eq!((other.status, other.code()), (404, "batch_not_found"));
    assert_eq!(view(&gateway, &id).await["status"], "running");
    let own = gateway
        .post(&cancel, &json!({"owner_id": "o1", "reason": "r"}))
        .await;
    assert_eq!(
        (own.status, own.body["cancel_reason"].as_str()),
        (200, Some("r"))
    );
    for nobody in [
        "0-01k0a1b2c3d4e5f6g7h8j9kamn",
        "9-01k0a1b2c3d4e5f6g7h8j9kamn",
    ] {
        for path in ["", "/events", "/results"] {
            let answer = gateway.get(&format!("/v1/batches/{nobody}{path}")).await;
            assert_eq!((answer.status, answer.code()), (404, "batch_not_found"));
        }
        let answer = gateway
            .post(&format!("/v1/batches/{nobody}/cancel"), &json!({}))
            .await;
        assert_eq!(answer.code(), "batch_not_found");
    }
    assert_eq!(gateway.get("/v1/batches/x").await.fields(), ["id"]);
}
