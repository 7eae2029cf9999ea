//! What is refused: nothing of it is accepted, and the answer says where it is wrong.

use factorial_core::Partition;
use futures::stream;
use serde_json::{Value, json};

use super::{good, lines};
use crate::support::{Answer, Gateway, config, gateway, gateway_with};

/// The problems of a refused batch: lines, pointers, messages.
fn problems(answer: &Answer) -> Vec<(u64, &str, &str)> {
    assert_eq!(
        (answer.status, answer.code()),
        (422, "invalid_batch"),
        "{answer:?}"
    );
    let lines = answer.body["batch"]["lines"].as_array().unwrap();
    lines
        .iter()
        .map(|p| {
            (
                p["line"].as_u64().unwrap(),
                p["pointer"].as_str().unwrap(),
                p["message"].as_str().unwrap(),
            )
        })
        .collect()
}

async fn nothing_was_accepted(gateway: &Gateway) {
    assert_eq!(gateway.get("/v1/batches").await.body["data"], json!([]));
    assert_eq!(
        gateway.get("/v1/tasks?owner_id=o1").await.body["data"],
        json!([])
    );
    assert_eq!(
        gateway
            .store
            .place_size(Partition(0), "filling")
            .await
            .unwrap(),
        0
    );
}

#[tokio::test]
async fn an_unknown_agent_in_line_50_000() {
    let gateway = gateway().await;
    let mut body = good(49_999);
    body.push_str("{\"query\":\"q\",\"agent\":\"nobody\"}\n");
    body.push_str(&good(10).replace(":\"c", ":\"d"));
    let answer = lines(&gateway, "owner_id=o1&agent=writer", body).await;
    let message = "nobody is announced by no worker";
    assert_eq!(problems(&answer), [(50_000, "/agent", message)]);
    assert_eq!(answer.body["batch"]["bad_lines"], 1);
    assert_eq!(answer.body["known_agents"], json!(["reader", "writer"]));
    nothing_was_accepted(&gateway).await;
}

#[tokio::test]
async fn every_bad_line_is_named_with_its_place() {
    let gateway = gateway().await;
    let body = [
        "\u{feff}{\"query\":\"fine\",\"custom_id\":\"x\"}",
        "",
        "{\"query\":\"broken\"",
        "nonsense",
        "[1]",
        "{\"query\":7}",
        "{\"query\":\"q\",\"colour\":1}",
        "{\"query\":\"\",\"priority\":10,\"limits\":{\"max_turns\":0}}",
        "{\"query\":\"q\",\"custom_id\":\"x\"}",
        "{\"query\":\"q\",\"custom_id\":\"\"}",
        "{\"query\":\"q\",\"custom_id\":\"y\",\"metadata\":{\"custom_id\":\"z\"}}",
        "{\"query\":\"q\",\"owner_id\":\"o2\"}",
        "{\"query\":\"q\"} {\"query\":\"q\"}",
        "{}",
    ]
    .join("\n");
    let answer = lines(&gateway, "owner_id=o1&agent=writer", body).await;
    let found = problems(&answer);
    let places: Vec<_> = found
        .iter()
        .map(|(line, pointer, _)| (*line, *pointer))
        .collect();
    assert_eq!(
        places,
        [
            (3, ""),
            (4, ""),
            (5, ""),
            (6, "/query"),
            (7, "/colour"),
            (8, "/priority"),
            (8, "/query"),
            (8, "/limits/max_turns"),
            (9, "/custom_id"),
            (10, "/custom_id"),
            (11, "/metadata/custom_id"),
            (12, "/owner_id"),
            (13, ""),
            (14, "/query"),
        ],
        "{found:?}"
    );
    assert_eq!(answer.body["batch"]["bad_lines"], 12);
    assert!(
        found
            .iter()
            .all(|(.., message)| !message.contains("at line")),
        "{found:?}"
    );
    nothing_was_accepted(&gateway).await;
}

#[tokio::test]
async fn what_is_not_text_is_a_bad_line() {
    let gateway = gateway().await;
    let mut body = good(1).into_bytes();
    body.extend_from_slice(b"{\"query\":\"\xff\"}\n{\"query\":\"\\ud800\"}\n");
    body.extend_from_slice(
        format!("{{\"query\":\"q\",\"context\":{}}}", "[".repeat(10_000)).as_bytes(),
    );
    let answer = lines(&gateway, "owner_id=o1&agent=writer", body).await;
    let places: Vec<u64> = problems(&answer).iter().map(|p| p.0).collect();
    assert_eq!(places, [2, 3, 4]);
    nothing_was_accepted(&gateway).await;
}

#[tokio::test]
async fn twenty_problems_are_told_and_all_bad_lines_counted() {
    let gateway = gateway().await;
    let answer = lines(&gateway, "owner_id=o1&agent=writer", "{}\n".repeat(3_000)).await;
    assert_eq!(problems(&answer).len(), 20);
    assert_eq!(answer.body["batch"]["bad_lines"], 3_000);
    nothing_was_accepted(&gateway).await;
}

#[tokio::test]
async fn members_of_a_document_are_judged_alike() {
    let gateway = gateway().await;
    let body = json!({"owner_id": "o1", "tasks": [
        {"query": "no agent"}, {"agent": "writer", "query": "fine"}, {"agent": "nobody", "query": "q"},
    ]});
    let answer = gateway.post("/v1/batches", &body).await;
    let places: Vec<_> = problems(&answer).iter().map(|p| (p.0, p.1)).collect();
    assert_eq!(places, [(1, "/agent"), (3, "/agent")]);
    for (change, field) in [
        (json!({"owner_id": "a}:b"}), "/owner_id"),
        (json!({"agent": "Q"}), "/agent"),
        (json!({"priority": 10}), "/priority"),
        (json!({"limits": {"max_turns": 0}}), "/limits/max_turns"),
        (json!({"metadata": {"": ""}}), "/metadata"),
        (json!({"tasks": [{"colour": 1}]}), "/tasks/0/colour"),
    ] {
        let mut body = json!({"owner_id": "o1", "tasks": []});
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = gateway.post("/v1/batches", &body).await;
        assert_eq!(
            (answer.status, answer.fields()),
            (422, vec![field]),
            "{answer:?}"
        );
    }
    nothing_was_accepted(&gateway).await;
}

#[tokio::test]
async fn settings_are_judged_before_any_line() {
    let gateway = gateway().await;
    for (query, field) in [
        ("agent=writer", "owner_id"),
        ("owner_id=a%7D%3Ab", "owner_id"),
        ("owner_id=o1&priority=77", "priority"),
        ("owner_id=o1&max_turns=0", "max_turns"),
        ("owner_id=o1&max_turns=x", "max_turns"),
        ("owner_id=o1&stream=yes", "stream"),
        ("owner_id=o1&metadata=x", "metadata"),
        ("owner_id=o1&colour=1", "colour"),
        ("owner_id=o1&owner_id=o2", "owner_id"),
    ] {
        let answer = lines(&gateway, query, good(1)).await;
        assert_eq!(
            (answer.status, answer.fields()),
            (422, vec![field]),
            "{answer:?}"
        );
    }
    let request = gateway
        .request(reqwest::Method::POST, "/v1/batches?owner_id=o1")
        .header("content-type", "text/csv")
        .body("a,b");
    let answer = gateway.send(request).await;
    assert!(matches!(answer.status, 415 | 422), "{answer:?}");
    nothing_was_accepted(&gateway).await;
}

#[tokio::test]
async fn what_is_too_large_is_refused_without_being_held() {
    let mut small = config();
    small.max_body_bytes = 2_000;
    small.max_batch_bytes = 100_000;
    let gateway = gateway_with(small, 1).await;
    let long = format!("{{\"query\":\"{}\"}}\n", "x".repeat(3_000));
    let fits = format!("{{\"query\":\"{}\"}}", "x".repeat(2_000 - 12));
    assert_eq!(fits.len(), 2_000);
    let body = format!("{}{long}{fits}\n{}", good(1), good(1).replace("c0", "c1"));
    let answer = lines(&gateway, "owner_id=o1&agent=writer", body).await;
    assert_eq!(problems(&answer), [(2, "", "is longer than 2000 bytes")]);

    let answer = lines(&gateway, "owner_id=o1&agent=writer", good(10_000)).await;
    assert_eq!((answer.status, answer.code()), (413, "payload_too_large"));
    // One that does not say how much will come.
    let parts = stream::iter((0..1_000).map(|_| Ok::<_, std::io::Error>(good(10))));
    let answer = lines(
        &gateway,
        "owner_id=o1&agent=writer",
        reqwest::Body::wrap_stream(parts),
    )
    .await;
    assert_eq!((answer.status, answer.code()), (413, "payload_too_large"));
    let document = json!({"owner_id": "o1", "tasks": [{"query": "x".repeat(3_000)}]});
    assert_eq!(gateway.post("/v1/batches", &document).await.status, 413);
    nothing_was_accepted(&gateway).await;
}

#[tokio::test]
async fn one_member_too_many() {
    let gateway = gateway().await;
    let body = "{\"query\":\"q\"}\n".repeat(100_001);
    let answer = lines(&gateway, "owner_id=o1&agent=writer", body).await;
    assert_eq!((answer.status, answer.code()), (413, "payload_too_large"));
    assert!(
        answer.body["detail"]
            .as_str()
            .unwrap()
            .contains("100000 members"),
        "{answer:?}"
    );
    nothing_was_accepted(&gateway).await;
}

#[tokio::test]
async fn a_body_that_ends_early_is_no_batch() {
    let gateway = gateway().await;
    let parts: [Result<String, std::io::Error>; 2] =
        [Ok(good(10)), Err(std::io::Error::other("cut"))];
    let request = gateway
        .request(
            reqwest::Method::POST,
            "/v1/batches?owner_id=o1&agent=writer",
        )
        .header("content-type", "application/x-ndjson")
        .body(reqwest::Body::wrap_stream(stream::iter(parts)));
    assert!(request.send().await.is_err());
    nothing_was_accepted(&gateway).await;
}

#[tokio::test]
async fn only_so_many_at_once() {
    let mut few = config();
    few.max_batch_uploads = 1;
    let gateway = gateway_with(few, 1).await;
    let (sender, parts) = futures::channel::mpsc::unbounded::<Result<String, std::io::Error>>();
    let open = tokio::spawn({
        let request = gateway
            .request(
                reqwest::Method::POST,
                "/v1/batches?owner_id=o1&agent=writer",
            )
            .header("content-type", "application/x-ndjson")
            .body(reqwest::Body::wrap_stream(parts));
        async move { request.send().await.unwrap().status().as_u16() }
    });
    sender.unbounded_send(Ok(good(1))).unwrap();
    let refused = crate::support::eventually("a refusal", async || {
        let answer = lines(&gateway, "owner_id=o1&agent=writer", "").await;
        (answer.status != 201).then_some(answer)
    })
    .await;
    assert_eq!((refused.status, refused.code()), (503, "overloaded"));
    drop(sender);
    assert_eq!(open.await.unwrap(), 201);
    let answer: Value = lines(&gateway, "owner_id=o1&agent=writer", good(1))
        .await
        .body;
    assert_eq!(answer["status"], "running");
}
