//! Submissions that are accepted, and what becomes of them.

use serde_json::json;

use crate::support::{config, gateway, gateway_with};

#[tokio::test]
async fn a_task_from_submission_to_result() {
    let gateway = gateway().await;
    let body = json!({
        "agent": "writer", "owner_id": "o1", "query": "what?", "stream": true, "priority": 9,
        "messages": [{"role": "system", "content": "be brief"}, {"role": "assistant", "content": "yes"}],
        "context": {"a": [1, {"b": null}]}, "limits": {"max_turns": 3}, "metadata": {"team": "x"},
    });
    let answer = gateway.post("/v1/tasks", &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let path = format!("/v1/tasks/{}", answer.id());
    assert_eq!(answer.headers["location"], path.as_str());
    let read = gateway.get(&path).await;
    let mut shown = answer.body.clone();
    // By the clock of Redis there; here by a clock that follows it.
    shown["created_at"] = read.body["created_at"].clone();
    assert_eq!(shown, read.body);
    assert_eq!(read.body["status"], "queued");
    assert_eq!(read.body["limits"], json!({"max_turns": 3}));
    assert_eq!(read.body["conversation_id"], read.body["id"]);

    let hand = gateway.hand();
    let mut claimed = hand.claim().await;
    let running = gateway.get(&path).await;
    assert_eq!(running.body["status"], "processing");
    assert_eq!(running.body["worker_id"], "hand-1");
    hand.turn(&mut claimed, 1, 2, "thus").await;
    hand.complete(&claimed, None).await;

    let done = gateway.get(&path).await;
    assert_eq!(done.body["status"], "completed");
    assert_eq!(
        (&done.body["turns"], &done.body["attempts"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(done.body["usage"]["input_tokens"], 10);
    assert_eq!(
        done.body["usage_by_model"]["openai/gpt"]["output_tokens"],
        5
    );
    assert_eq!(done.body["metadata"], json!({"team": "x"}));
    let result = gateway.get(&format!("{path}/result")).await;
    assert_eq!(
        (result.status, &result.body["output"]),
        (200, &json!("thus"))
    );
    let status = gateway.get(&format!("{path}/status")).await;
    assert_eq!(
        status.body,
        json!({"id": answer.id(), "status": "completed"})
    );
}

#[tokio::test]
async fn created_at_is_close_to_the_clock_of_redis() {
    let gateway = gateway().await;
    let answer = gateway
        .post(
            "/v1/tasks",
            &json!({"agent": "writer", "owner_id": "o", "query": "q"}),
        )
        .await;
    let read = gateway.get(&format!("/v1/tasks/{}", answer.id())).await;
    let ms = |task: &serde_json::Value| {
        let time: factorial_api::Time = serde_json::from_value(task["created_at"].clone()).unwrap();
        time.as_millis()
    };
    let apart = ms(&answer.body).abs_diff(ms(&read.body));
    assert!(apart < 1000, "{apart} ms");
}

#[tokio::test]
async fn what_starts_later_is_scheduled() {
    let gateway = gateway().await;
    for (changes, status) in [
        (json!({"delay_seconds": 60}), "scheduled"),
        (json!({"delay_seconds": 0}), "queued"),
        (json!({"run_at": "2020-01-01T00:00:00Z"}), "queued"),
    ] {
        let id = gateway.submit(&changes).await;
        let task = gateway.get(&format!("/v1/tasks/{id}")).await;
        assert_eq!(task.body["status"], status, "{changes}");
        assert_eq!(
            task.body["run_at"].is_string(),
            status == "scheduled",
            "{changes}"
        );
    }
    let later = factorial_api::Time::from_millis(
        i64::try_from(gateway.store.now_ms().await.unwrap()).unwrap() + 3_600_000,
    );
    let body = crate::support::submission(
        &json!({"run_at": later.to_string(), "limits": {"deadline_seconds": 60}}),
    );
    let answer = gateway.post("/v1/tasks", &body).await;
    assert_eq!(answer.body["status"], "scheduled");
    assert_eq!(answer.body["run_at"], later.to_string());
    assert!(answer.body["deadline_at"].as_str().unwrap() > later.to_string().as_str());
}

#[tokio::test]
async fn a_task_goes_on_with_another() {
    let gateway = gateway_with(config(), 4).await;
    let hand = gateway.hand();
    let first = gateway.submit(&json!({"query": "one"})).await;
    let mut claimed = hand.claim().await;
    let early = crate::support::submission(&json!({"query": "two", "previous_task_id": first}));
    let refused = gateway.post("/v1/tasks", &early).await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "previous_task_unusable")
    );
    hand.turn(&mut claimed, 1, 0, "answer").await;
    hand.complete(&claimed, None).await;

    let answer = gateway.post("/v1/tasks", &early).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.body["conversation_id"], first.as_str());
    assert_eq!(answer.body["previous_task_id"], first.as_str());
    let partition = |id: &str| id.split_once('-').unwrap().0.to_owned();
    assert_eq!(partition(answer.id()), partition(&first));

    let others = crate::support::submission(&json!({"owner_id": "o2", "previous_task_id": first}));
    let refused = gateway.post("/v1/tasks", &others).await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "previous_task_unusable")
    );
    let nowhere =
        crate::support::submission(&json!({"previous_task_id": "77-01hf7yat000000000000000007"}));
    let refused = gateway.post("/v1/tasks", &nowhere).await;
    assert_eq!(
        (refused.status, refused.code()),
        (409, "previous_task_unusable")
    );
}

#[tokio::test]
async fn root_tasks_are_spread() {
    let gateway = gateway_with(config(), 4).await;
    let mut partitions = std::collections::BTreeSet::new();
    for _ in 0..64 {
        let id = gateway.submit(&json!({})).await;
        partitions.insert(id.split_once('-').unwrap().0.to_owned());
    }
    assert_eq!(partitions.len(), 4);
}

#[tokio::test]
async fn an_agent_that_was_just_announced_is_known() {
    let gateway = gateway().await;
    let body = crate::support::submission(&json!({"agent": "fresh"}));
    let refused = gateway.post("/v1/tasks", &body).await;
    assert_eq!((refused.status, refused.code()), (422, "unknown_agent"));
    assert_eq!(refused.body["known_agents"], json!(["reader", "writer"]));
    gateway.hand().announce(&["fresh"]).await;
    assert_eq!(gateway.post("/v1/tasks", &body).await.status, 201);
}
