//! Answers by the token of one call.

use std::{process::Stdio, time::Duration};

use factorial_api::CallbackRequest;
use factorial_core::{Partition, WaitKind};
use factorial_service::CallbackTokens;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::support::{Ask, Gateway, PATIENCE, eventually, gateway};

/// As a worker signs them.
async fn tokens(gateway: &Gateway, namespace: &str) -> CallbackTokens {
    let secret = gateway
        .store
        .secret("the-secret-of-this-namespace-00000")
        .await
        .unwrap();
    CallbackTokens::new(&secret, namespace)
}

#[tokio::test]
async fn a_token_is_good_for_one_answer_to_one_call() {
    let gateway = gateway().await;
    let asks = ["c1", "c2"].map(|call| Ask::new(WaitKind::Operator, call));
    let id = gateway.parked(&json!({}), &asks).await;
    let tokens = tokens(&gateway, "test").await;
    let callback = format!("/v1/callbacks/{}", tokens.sign(&id, "c1"));
    let report = gateway
        .post(&format!("{callback}/progress"), &json!({"message": "half"}))
        .await;
    assert_eq!(report.status, 202, "{report:?}");
    for (bad, field) in [
        (json!({}), ""),
        (json!({"result": 1, "error": {"message": "m"}}), ""),
        (json!({"error": {"message": ""}}), "/error/message"),
        (json!({"error": {}}), "/error"),
        (json!({"result": 1, "owner_id": "o1"}), ""),
    ] {
        let refused = gateway.post(&callback, &bad).await;
        assert_eq!(refused.status, 422, "{bad}");
        assert!(refused.fields()[0].starts_with(field), "{refused:?}");
    }
    let first = gateway
        .post(&callback, &json!({"result": {"paid": true}}))
        .await;
    assert_eq!(
        first.body,
        json!({
            "task_id": id, "call_id": "c1", "outcome": "result", "replayed": false, "task_status": "pending_tool_results",
        })
    );
    assert_eq!(
        gateway
            .post(&callback, &json!({"result": {"paid": true}}))
            .await
            .body["replayed"],
        true
    );
    for other in [json!({"result": null}), json!({"error": {"message": "m"}})] {
        let refused = gateway.post(&callback, &other).await;
        assert_eq!(
            (refused.status, refused.code()),
            (409, "tool_call_answered")
        );
    }
    let late = gateway
        .post(&format!("{callback}/progress"), &json!({"message": "half"}))
        .await;
    assert_eq!((late.status, late.code()), (409, "tool_call_closed"));
    // `null` is a result; through the client.
    let answer = CallbackRequest {
        result: Some(Value::Null),
        error: None,
    };
    let second = gateway
        .client()
        .answer_callback(&tokens.sign(&id, "c2"), &answer)
        .await
        .unwrap();
    assert_eq!(
        (second.outcome.as_str(), second.task_status.as_str()),
        ("result", "queued")
    );
    assert_eq!(gateway.events_of(&id, "tool_call_answered").await.len(), 2);
}

#[tokio::test]
async fn the_call_decides_whether_a_token_is_still_good() {
    let gateway = gateway().await;
    let ask = Ask {
        timeout: Some(Duration::from_millis(1)),
        ..Ask::new(WaitKind::Operator, "c1")
    };
    let id = gateway.parked(&json!({}), &[ask]).await;
    let tokens = tokens(&gateway, "test").await;
    eventually("expiry", async || {
        let expired = gateway.store.expire_waits(Partition(0), 10).await.unwrap();
        (expired.count == 1).then_some(())
    })
    .await;
    let answer = json!({"result": 1});
    for (task, call, status, code) in [
        (id.as_str(), "c1", 409, "tool_call_closed"),
        (id.as_str(), "c2", 404, "tool_call_not_found"),
        ("0-01k0a1b2c3d4e5f6g7h8j9kamn", "c1", 404, "task_not_found"),
    ] {
        let refused = gateway
            .post(
                &format!("/v1/callbacks/{}", tokens.sign(task, call)),
                &answer,
            )
            .await;
        assert_eq!((refused.status, refused.code()), (status, code));
    }
    let large = json!({"result": "x".repeat(10_000_000)});
    let refused = gateway
        .post(&format!("/v1/callbacks/{}", tokens.sign(&id, "c1")), &large)
        .await;
    assert_eq!((refused.status, refused.code()), (413, "payload_too_large"));
    assert!(
        refused.body["detail"].as_str().unwrap().contains("262144"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn only_tokens_of_this_namespace_are_valid() {
    let gateway = gateway().await;
    let id = gateway
        .parked(&json!({}), &[Ask::new(WaitKind::Operator, "c1")])
        .await;
    let good = tokens(&gateway, "test").await.sign(&id, "c1");
    let elsewhere = tokens(&gateway, "other").await.sign(&id, "c1");
    let unknown = CallbackTokens::new("another secret", "test").sign(&id, "c1");
    let foreign = tokens(&gateway, "test")
        .await
        .sign("999-01k0a1b2c3d4e5f6g7h8j9kamn", "c1");
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let changed = signature.chars().rev().collect::<String>();
    for bad in [
        elsewhere,
        unknown,
        foreign,
        format!("{signed}.{changed}"),
        format!("{signed}."),
        "x".to_owned(),
        "%FF".to_owned(),
        "x".repeat(10_000),
    ] {
        for path in [
            format!("/v1/callbacks/{bad}"),
            format!("/v1/callbacks/{bad}/progress"),
        ] {
            let refused = gateway.post(&path, &json!({"result": 1})).await;
            assert_eq!(
                (refused.status, refused.code()),
                (401, "invalid_token"),
                "{bad}"
            );
            assert!(
                bad.len() < 5 || !refused.body.to_string().contains(&bad),
                "{refused:?}"
            );
        }
    }
    let task = gateway.get(&format!("/v1/tasks/{id}")).await;
    assert_eq!(task.body["awaiting"], 1);
    assert_eq!(
        gateway
            .post(&format!("/v1/callbacks/{good}"), &json!({"result": 1}))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_token_is_nowhere_but_in_its_url() {
    let here = gateway().await;
    let id = here
        .parked(&json!({}), &[Ask::new(WaitKind::Operator, "c1")])
        .await;
    let token = tokens(&here, "test").await.sign(&id, "c1");
    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_factorial-gateway"))
        .args([
            "--gateway-port",
            "0",
            "--admin-port",
            "0",
            "--log-format",
            "json",
            "--log-level",
            "trace",
        ])
        .args(["--namespace", "test", "--partitions", "1"])
        .env_clear()
        .env("FACTORIAL_AUTH_ENABLED", "false")
        .env("REDIS_URL", here.redis.url())
        .current_dir(std::env::temp_dir())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stderr.take().unwrap());
    let (mut log, mut addresses) = (String::new(), Vec::new());
    while addresses.len() < 2 {
        let mut line = String::new();
        tokio::time::timeout(PATIENCE, lines.read_line(&mut line))
            .await
            .unwrap()
            .unwrap();
        assert!(!line.is_empty(), "{log}");
        let event: Value = serde_json::from_str(&line).unwrap();
        addresses.extend(event["address"].as_str().map(str::to_owned));
        log.push_str(&line);
    }
    let reading = tokio::spawn(async move {
        lines.read_to_string(&mut log).await.unwrap();
        log
    });
    let broken = format!("{}x", &token[..token.len() - 4]);
    for (token, path, status) in [
        (&broken, "", 401),
        (&token, "/progress", 202),
        (&token, "", 200),
        (&token, "/x", 404),
    ] {
        let url = format!("http://{}/v1/callbacks/{token}{path}", addresses[1]);
        let body = if path.is_empty() {
            json!({"result": 1})
        } else {
            json!({"message": "m"})
        };
        let answer = here.http.post(url).json(&body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        let text = answer.text().await.unwrap();
        assert!(!text.contains(token.as_str()), "{text}");
    }
    let metrics = here
        .http
        .get(format!("http://{}/metrics", addresses[0]))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let pid = rustix::process::Pid::from_raw(program.id().unwrap().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let log = tokio::time::timeout(PATIENCE, reading)
        .await
        .unwrap()
        .unwrap();
    assert!(
        log.contains("request answered") && metrics.contains("/v1/callbacks/{token}"),
        "{metrics}"
    );
    for secret in [&token, &broken] {
        assert!(!log.contains(secret.as_str()) && !metrics.contains(secret.as_str()));
    }
    // Nor does a client that fails tell it.
    let nobody = factorial_client::Client::builder("http://127.0.0.1:1")
        .retry(factorial_client::RetryPolicy::never())
        .build()
        .unwrap();
    let failed = nobody
        .answer_callback(&token, &CallbackRequest::default())
        .await
        .unwrap_err();
    assert!(
        !format!("{failed} {failed:?}").contains(&token),
        "{failed:?}"
    );
}
